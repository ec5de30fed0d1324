import { parseBankStatement } from '../bank-statement.ts';
import type { Contestant } from '../contestants/contestant.ts';
import { createBookings, type LedgerSummary } from '../ledger-data.ts';
import { fetchFile, sendFile } from './files.ts';
import { recordFrames } from './frame-meter.ts';
import { listedAccounts } from './ledger-view.tsx';
import type { Screen } from './screen.ts';
import { createStallMeter, type Stall } from './stall-meter.ts';

/** Work that was done, how long it took, and what it did to the page. */
export interface Timed {
  readonly ms: number;
  readonly stall: Stall;
}

/** Sampling ends at this many samples or after this time, whichever is first: a slow contestant must not hold up the rest. */
export interface Sampling {
  readonly count: number;
  readonly budgetMs: number;
  readonly seed: number;
}

export interface LoadedRebuild {
  readonly idleFrames: readonly number[];
  readonly frames: readonly number[];
  readonly visible: readonly number[];
}

/** What the runner calls in a page; one for every contestant. Times are milliseconds. */
export interface Bench {
  /** Which of the optional calls this contestant has. */
  readonly has: Readonly<Record<'importFile' | 'exportFile' | 'rebuild' | 'loadStreams' | 'appendAll', boolean>>;
  /** When the page first showed this, counted from the navigation. */
  shownAt(expected: LedgerSummary): Promise<number>;
  stall(): Promise<Stall>;
  importFile(address: string): Promise<Timed>;
  rebuild(): Promise<Timed>;
  /** Rebuilds again and again while bookings are made: the gaps between frames, before and meanwhile, and command to changed text. */
  rebuildUnderLoad(sampling: Sampling): Promise<LoadedRebuild>;
  /** One after the other: the time of each. */
  append(sampling: Sampling): Promise<number[]>;
  /** All at once: the time of all. */
  appendConcurrently(count: number, seed: number): Promise<number>;
  /** Command to changed text, one after the other: the time of each. */
  visible(sampling: Sampling): Promise<number[]>;
  /** When the next change of an account is on screen: milliseconds since 1970, fit to compare tabs of one browser. */
  seeChange(account: string): Promise<number>;
  /** Sends one booking, and says when it was sent. */
  change(account: string, seed: number): Promise<number>;
  loadEach(accounts: readonly string[]): Promise<number[]>;
  loadTogether(accounts: readonly string[]): Promise<number>;
  /** From a file's text to stored bookings. */
  importStatement(address: string): Promise<number>;
  balances(): [account: string, balance: number][];
  /** Sends the exported log to an address, and says how long exporting took. */
  exportFile(address: string): Promise<number>;
}

export function createBench(contestant: Contestant, screen: Screen): Bench {
  const meter = createStallMeter();

  async function timed(run: () => Promise<void>): Promise<Timed> {
    meter.restart();
    const start = performance.now();
    await run();
    const ms = performance.now() - start;
    return { ms, stall: await meter.read() };
  }

  async function measureVisible({ count, budgetMs, seed }: Sampling): Promise<number[]> {
    const times: number[] = [];
    const end = performance.now() + budgetMs;
    for (const booking of createBookings({ seed, count, accounts: listedAccounts })) {
      const changed = screen.nextChange(booking.account);
      const start = performance.now();
      const appended = contestant.append(booking);
      times.push((await changed) - start);
      await appended;
      // A user is never this fast: what the change still sets off is over before the next one.
      await new Promise((resolve) => setTimeout(resolve, 25));
      if (performance.now() > end) break;
    }
    return times;
  }

  return {
    has: {
      importFile: contestant.importFile !== undefined,
      exportFile: contestant.exportFile !== undefined,
      rebuild: contestant.rebuild !== undefined,
      loadStreams: contestant.loadStreams !== undefined,
      appendAll: contestant.appendAll !== undefined,
    },
    shownAt: (expected) => screen.shownAt(expected),
    stall: () => meter.read(),
    importFile: async (address) => {
      const importFile = requireCall(contestant, 'importFile');
      const file = await fetchFile(address);
      return timed(() => importFile(file));
    },
    rebuild: () => timed(requireCall(contestant, 'rebuild')),
    rebuildUnderLoad: async ({ count, budgetMs, seed }) => {
      const rebuild = requireCall(contestant, 'rebuild');
      const idle = recordFrames();
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      const idleFrames = idle.stop();
      let isOver = false;
      const rebuilding = (async () => {
        while (!isOver) await rebuild();
      })();
      const loaded = recordFrames();
      const visible = await measureVisible({ count, budgetMs, seed });
      isOver = true;
      await rebuilding;
      return { idleFrames, frames: loaded.stop(), visible };
    },
    append: ({ count, budgetMs, seed }) =>
      sample(createBookings({ seed, count, accounts: 1_000 }), budgetMs, (booking) => contestant.append(booking)),
    appendConcurrently: async (count, seed) => {
      const bookings = [...createBookings({ seed, count, accounts: 1_000 })];
      const start = performance.now();
      await Promise.all(bookings.map((booking) => contestant.append(booking)));
      return performance.now() - start;
    },
    visible: measureVisible,
    seeChange: async (account) => performance.timeOrigin + (await screen.nextChange(account)),
    change: async (account, seed) => {
      const [booking] = createBookings({ seed, count: 1, accounts: 1 });
      if (booking === undefined) throw new Error('There is no booking to send.');
      const start = performance.timeOrigin + performance.now();
      await contestant.append({ ...booking, account });
      return start;
    },
    loadEach: (accounts) => {
      const loadStreams = requireCall(contestant, 'loadStreams');
      return sample(accounts, 10_000, (account) => loadStreams([account]));
    },
    loadTogether: async (accounts) => (await timed(() => requireCall(contestant, 'loadStreams')(accounts))).ms,
    importStatement: async (address) => {
      const appendAll = requireCall(contestant, 'appendAll');
      const file = await fetchFile(address);
      return (await timed(async () => appendAll(parseBankStatement(await file.text())))).ms;
    },
    balances: () => [...contestant.balances()],
    exportFile: async (address) => {
      const start = performance.now();
      const file = await requireCall(contestant, 'exportFile')();
      const ms = performance.now() - start;
      await sendFile(address, file);
      return ms;
    },
  };
}

/** The runner asks `has` first: what is missing here is a bug of the suite. */
function requireCall<Name extends keyof Contestant>(contestant: Contestant, name: Name): NonNullable<Contestant[Name]> {
  const call = contestant[name];
  if (call === undefined) throw new Error(`"${contestant.name}" has no ${name}.`);
  return call;
}

async function sample<Item>(
  items: Iterable<Item>,
  budgetMs: number,
  run: (item: Item) => Promise<void>,
): Promise<number[]> {
  const times: number[] = [];
  const end = performance.now() + budgetMs;
  for (const item of items) {
    const start = performance.now();
    await run(item);
    const now = performance.now();
    times.push(now - start);
    if (now > end) break;
  }
  return times;
}
