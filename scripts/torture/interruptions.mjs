import { checkPage, createProfile, inBrowser, pause, removeProfile, stopLanes, untilBooted } from './browser.mjs';

const roundsPerProfile = 25;

/**
 * What can end or stop a page or its worker while the browser lives on. Each returns the page that goes on, when its
 * commands were first answered again, and what it was interrupted at.
 */
const interruptions = {
  /** The worker alone dies: the page must notice, start another one and send the open commands again. */
  terminate: async (browser, page) => {
    const next = browser.nextAnswer(newLife(await lifeOf(page)));
    const at = await page.evaluate(() => {
      const now = Date.now();
      window.torture.terminate();
      return now;
    });
    return { page, at, next };
  },
  reload: async (browser, page) => {
    const next = browser.nextAnswer(newLife(await lifeOf(page)));
    const at = Date.now();
    await page.reload();
    return { page, at, next };
  },
  /** The renderer process dies, and with it the worker in the middle of whatever it did. */
  crash: async (browser, page, lanes) => {
    const next = browser.nextAnswer(newLife(await lifeOf(page)));
    const at = Date.now();
    await crashPage(page);
    await page.close();
    return { page: await browser.openPage(lanes), at, next };
  },
  /** The page and its worker stand still, perhaps in the middle of a transaction, while a second tab goes on writing. */
  freeze: async (browser, page, lanes, random) => {
    const other = await browser.openPage(lanes);
    const session = await browser.context.newCDPSession(page);
    await session.send('Page.setWebLifecycleState', { state: 'frozen' });
    const frozenAt = Date.now();
    await browser.nextAnswer((answer, from) => from === other && answer.at > frozenAt);
    await pause(random.between(200, 2000));
    const at = Date.now();
    const next = browser.nextAnswer((answer, from) => from === page && answer.at > at);
    await session.send('Page.setWebLifecycleState', { state: 'active' });
    await next;
    await stopLanes(other);
    await other.close();
    return { page, at, next };
  },
};

/** Interrupts a page at random moments while commands run; afterwards every open command is answered and the log whole. */
export async function runInterruptions(name, count, { address, report }) {
  for (let first = 1; first <= count; first += roundsPerProfile) {
    const profile = createProfile();
    const last = Math.min(count, first + roundsPerProfile - 1);
    for (let round = first; round <= last; round += 1) {
      await report.round(name, round, (random) =>
        inBrowser(profile, address, (browser) => interrupt(name, browser, profile, random, report)),
      );
    }
    report.noteProfile(profile);
    removeProfile(profile);
  }
}

async function interrupt(name, browser, profile, random, report) {
  const lanes = random.whole(1, 12);
  const answered = browser.nextAnswer();
  const victim = await browser.openPage(lanes);
  await answered;
  await pause(random.between(20, 700));
  const { page, at, next } = await interruptions[name](browser, victim, lanes, random);
  const { at: answeredAt } = await next;
  report.noteTakeover(name, answeredAt - at);
  await untilBooted(page);
  await stopLanes(page);
  return checkPage(page, profile.acknowledged);
}

/** Crashes the renderer; a page that shares its process goes with it. */
export async function crashPage(page) {
  const crashed = page.isClosed() ? undefined : page.waitForEvent('crash', { timeout: 10_000 });
  const session = await page.context().newCDPSession(page);
  // It is never answered: who would answer is gone.
  session.send('Page.crash').catch(() => undefined);
  await crashed;
}

function lifeOf(page) {
  return page.evaluate(() => window.torture.state().life);
}

/** An answer of a later page or worker, not one that was under way when the earlier one ended. */
function newLife(old) {
  return ({ life }) => life > old;
}
