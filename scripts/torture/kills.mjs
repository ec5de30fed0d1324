import { checkProfile, createProfile, inBrowser, pause, removeProfile, wasWiped } from './browser.mjs';

/** So many rounds share a log: each adds to it, and each reads all of it. */
const roundsPerProfile = 25;

/** Kills the whole browser with SIGKILL while commands run, and opens the same profile again. */
export async function runKills(count, { address, report }) {
  for (let first = 1; first <= count; first += roundsPerProfile) {
    let profile = createProfile();
    const last = Math.min(count, first + roundsPerProfile - 1);
    for (let round = first; round <= last; round += 1) {
      await report.round('kill', round, async (random) => {
        const isWiped = await inBrowser(profile, address, async (browser) => {
          const page = await browser.openPage(random.whole(1, 12));
          if (await wasWiped(profile, page)) return true;
          await browser.nextAnswer();
          await pause(random.between(50, 1550));
          await browser.kill();
          return false;
        });
        if (!isWiped) return checkProfile(profile, address);
        report.noteWipe();
        removeProfile(profile);
        profile = createProfile();
        return { text: 'the browser had thrown the storage of the site away, and the app said so' };
      });
    }
    report.noteProfile(profile);
    removeProfile(profile);
  }
}
