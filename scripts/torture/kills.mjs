import { checkProfile, createProfile, inBrowser, pause, removeProfile } from './browser.mjs';

/** So many rounds share a log: each adds to it, and each reads all of it. */
const roundsPerProfile = 25;

/** Kills the whole browser with SIGKILL while commands run, and opens the same profile again. */
export async function runKills(count, { address, report }) {
  for (let first = 1; first <= count; first += roundsPerProfile) {
    const profile = createProfile();
    const last = Math.min(count, first + roundsPerProfile - 1);
    for (let round = first; round <= last; round += 1) {
      await report.round('kill', round, async (random) => {
        await inBrowser(profile, address, async (browser) => {
          const answered = browser.nextAnswer();
          await browser.openPage(random.whole(1, 12));
          await answered;
          await pause(random.between(50, 1550));
          await browser.kill();
        });
        return checkProfile(profile, address);
      });
    }
    report.noteProfile(profile);
    removeProfile(profile);
  }
}
