import { checkPage, createProfile, inBrowser, pause, readState, removeProfile, stopLanes, within } from './browser.mjs';
import { crashPage } from './interruptions.mjs';

const tabsAtFirst = 8;
const fewestTabs = 3;
const mostTabs = 10;

/** How long after the last command all tabs may differ. */
const settleMs = 2000;

/** Several tabs of one profile write while tabs are closed, crashed, frozen and opened; afterwards all show the same. */
export async function runTabs(seconds, { address, report }) {
  if (seconds === 0) return;
  const profile = createProfile();
  await report.round('tabs', 1, (random) =>
    inBrowser(profile, address, async (browser) => {
      const chaos = createChaos(browser, random);
      for (let tab = 0; tab < tabsAtFirst; tab += 1) await chaos.open();
      const end = performance.now() + seconds * 1000;
      while (performance.now() < end) {
        await pause(random.between(20, 400));
        await chaos.disturb();
      }
      const pages = await chaos.calm();
      const states = await Promise.all(pages.map(readState));
      const settled = await settle(pages);
      // A page that remembers nothing reads the log afresh.
      const problems = await checkPage(await browser.openPage(), profile.acknowledged);
      return {
        ...problems,
        'tabs apart': settled.apart,
        refused: states.flatMap(({ refusals }) => refusals).length,
        text: `${problems.text} ${chaos.summary()}; ${pages.length} tabs the same after ${settled.afterMs} ms`,
      };
    }),
  );
  report.noteProfile(profile);
  removeProfile(profile);
}

/** The open tabs, and what can be done to them. */
function createChaos(browser, random) {
  const awake = new Set();
  const frozen = new Map();
  const done = { open: 0, close: 0, crash: 0, freeze: 0, thaw: 0 };

  const actions = {
    open: async () => {
      const page = await browser.openPage(2);
      awake.add(page);
      // Tabs may share a process: all that die with one are gone.
      page.on('crash', () => {
        awake.delete(page);
        frozen.delete(page);
        page.close().catch(() => undefined);
      });
    },
    close: async () => {
      const page = random.pick([...awake, ...frozen.keys()]);
      awake.delete(page);
      frozen.delete(page);
      await within(page.close(), 'the end of a tab');
    },
    crash: () => crashPage(random.pick([...awake])),
    freeze: async () => {
      const page = random.pick([...awake]);
      const session = await browser.context.newCDPSession(page);
      await session.send('Page.setWebLifecycleState', { state: 'frozen' });
      awake.delete(page);
      frozen.set(page, session);
    },
    thaw: async () => {
      const [page, session] = random.pick([...frozen]);
      await session.send('Page.setWebLifecycleState', { state: 'active' });
      frozen.delete(page);
      awake.add(page);
    },
  };

  function possible() {
    const spare = awake.size > fewestTabs ? ['close', 'crash', 'freeze'] : [];
    const room = awake.size + frozen.size < mostTabs ? ['open', 'open'] : [];
    return [...spare, ...room, ...(frozen.size > 0 ? ['thaw'] : [])];
  }

  async function act(name) {
    await actions[name]();
    done[name] += 1;
  }

  return {
    open: () => actions.open(),
    disturb: () => act(random.pick(possible())),
    /** Wakes every tab and ends its commands; returns the tabs that are open. */
    calm: async () => {
      while (frozen.size > 0) await actions.thaw();
      await Promise.all([...awake].map(stopLanes));
      return [...awake];
    },
    summary: () =>
      Object.entries(done)
        .map(([name, count]) => `${count} × ${name}`)
        .join(', '),
  };
}

/** Waits until all pages show one head and the same rows; returns how many do not, and after how long they did. */
async function settle(pages) {
  const startedAt = performance.now();
  for (;;) {
    const shown = await Promise.all(pages.map(readShown));
    const afterMs = Math.round(performance.now() - startedAt);
    const furthest = shown.reduce((one, other) => (other.head > one.head ? other : one));
    const apart = shown.filter(({ head, rows }) => head !== furthest.head || rows !== furthest.rows).length;
    if (apart === 0 || afterMs > settleMs) return { apart, afterMs };
    await pause(20);
  }
}

function readShown(page) {
  const reading = page.evaluate(async () => {
    const rows = await window.torture.readRows();
    return { head: window.torture.state().head, rows: JSON.stringify(rows.toSorted()) };
  });
  return within(reading, 'the rows of a tab');
}
