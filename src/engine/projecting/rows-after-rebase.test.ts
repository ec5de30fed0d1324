import { describe, expect, it, onTestFinished } from 'vitest';
import { createClient } from '../../client/client.ts';
import { createUpcaster } from '../../core/upcast.ts';
import type { EventLog, NewCommit } from '../../log/event-log.ts';
import { createMemoryEventLog } from '../../log/memory-event-log.ts';
import type { SyncedLog } from '../../log/synced-log.ts';
import { noHash } from '../../protocol/sync-commit.ts';
import { Account, Balances, bankApp } from '../../testing/fixtures/bank-app.ts';
import { createInProcessWorker } from '../../testing/in-process-worker.ts';
import { startProjections } from './projections.ts';

describe('the rows of a page', () => {
  it('come back where the log went back behind all that was confirmed, and nothing is saved after it', async () => {
    const log = createMemoryEventLog({ logId: 'log-1', client: 'a' });
    const synced = await log.openSync();
    const client = createClient(bankApp, () => createInProcessWorker({ app: bankApp, log }), { askToPersist: false });
    onTestFinished(() => client.close());
    const balances = client.mirror(Balances);
    await client.execute(Account, 'ada', 'deposit', { amount: 5 });
    await synced.write(async (transaction) => transaction.setBase({ epoch: 'e1', ...transaction.end }));
    await client.execute(Account, 'ada', 'deposit', { amount: 1 });
    expect(Object.fromEntries(balances.rows)).toEqual({ ada: { balance: 6 } });
    // As after a server was restored from a backup that has nothing of it.
    await synced.write(async (transaction) => {
      const all = await transaction.cutAfter(0);
      transaction.setBase({ epoch: 'e2', g: 0, oh: noHash });
      for (const { commit } of all) await transaction.append(commit);
    });
    await expect.poll(() => Object.fromEntries(balances.rows)).toEqual({ ada: { balance: 6 } });
    expect(balances).toMatchObject({ position: 2, isBehind: false });
  });

  it('never go and come back where much is pending when others have saved something', async () => {
    const log = createMemoryEventLog({ logId: 'log-1', client: 'a' });
    const synced = await log.openSync();
    const client = createClient(bankApp, () => createInProcessWorker({ app: bankApp, log }), { askToPersist: false });
    onTestFinished(() => client.close());
    const balances = client.mirror(Balances);
    await client.execute(Account, 'ada', 'deposit', { amount: 1 });
    // Several pages of the log.
    const accounts = Array.from({ length: 3_500 }, (_, index) => `a${index}`);
    await log.write(async (transaction) => {
      for (const id of accounts) await transaction.append(deposit(id, 2));
    });
    await expect.poll(() => balances.rows.size).toBe(3_501);
    const sizes = new Set<number>();
    balances.subscribe(() => void sizes.add(balances.rows.size));
    const late = createClient(bankApp, () => createInProcessWorker({ app: bankApp, log }), { askToPersist: false });
    onTestFinished(() => late.close());
    await late.mirror(Balances).ready;
    // As a rebase does: what others have saved comes before all that is pending.
    await synced.write(async (transaction) => {
      const pending = await transaction.cutAfter(0);
      await transaction.append(deposit('ben', 5));
      for (const { commit } of pending) await transaction.append(commit);
    });
    const again = client.execute(Account, 'ada', 'deposit', { amount: 1 });
    await expect.poll(() => balances.rows.get('ben')).toEqual({ balance: 5 });
    expect([...sizes]).toEqual([3_502]);
    expect(await again).toMatchObject({ status: 'saved' });
    expect(balances.rows.get('ada')).toEqual({ balance: 2 });
    expect([...balances.rows]).toEqual([...late.mirror(Balances).rows]);
  });
});

describe('rows that are being built', () => {
  /** A log of which the server goes back when half of it was read. It is not read from its start again before `letOn`. */
  async function goBackInBuild() {
    const log = createMemoryEventLog({ logId: 'log-1', client: 'a' });
    const synced = await log.openSync();
    await append(log, ['ada', 'ben', 'cleo', 'dan']);
    await synced.write(async (transaction) => transaction.setBase({ epoch: 'e1', ...transaction.end }));
    const tab = log.open();
    let letOn = () => {};
    const held = new Promise<void>((resolve) => {
      letOn = resolve;
    });
    let isBack = false;
    const goBack = async (from: number) => {
      if (from === 1 && isBack) await held;
      if (from !== 3 || isBack) return;
      isBack = true;
      await synced.write(async (transaction) => {
        const cut = await transaction.cutAfter(1);
        transaction.setBase({ epoch: 'e2', ...transaction.end });
        for (const { commit } of cut) await transaction.append(commit);
      });
      await tab.head();
    };
    return { slow: inPages(tab, 2, goBack), letOn, isBack: () => isBack };
  }

  it('are begun anew where the server went back behind them', async () => {
    const { slow, letOn } = await goBackInBuild();
    letOn();
    const client = createClient(bankApp, () => createInProcessWorker({ app: bankApp, log: slow }), {
      askToPersist: false,
    });
    onTestFinished(() => client.close());
    const balances = client.mirror(Balances);
    await expect.poll(() => [...balances.rows.keys()]).toEqual(['ada', 'ben', 'cleo', 'dan']);
    expect(balances).toMatchObject({ position: 4, isBehind: false });
  });

  it('keep those waiting who wait for them, also where they are begun anew', async () => {
    const { slow, letOn, isBack } = await goBackInBuild();
    const { projections } = await startBank(slow);
    onTestFinished(projections.close);
    let count: number | undefined;
    const told = projections.ready('balances').then(() => {
      count = projections.rowsOf('balances')?.rows.size ?? 0;
    });
    await expect.poll(isBack).toBe(true);
    await pause();
    expect(count).toBeUndefined();
    letOn();
    await told;
    expect(count).toBe(4);
  });
});

describe('the rows of a worker that was closed', () => {
  it('are not saved once others have changed the order, of which it is told no more', async () => {
    const log = createMemoryEventLog({ logId: 'log-1', client: 'a' });
    const synced = await log.openSync();
    const tab = log.open();
    const { projections } = await startBank(tab);
    await append(log, ['ada', 'ben']);
    await projections.follow();
    projections.close();
    await replaceAfter(synced, 1, 'cleo');
    // Another tab's hint, which comes with the event.
    const added = await append(log, ['dan']);
    await tab.head();
    await projections.advance(added);
    await projections.saveNow();
    expect(await log.snapshots.loadProjections()).toEqual([]);
  });

  it('are not saved where they were being built', async () => {
    const log = createMemoryEventLog({ logId: 'log-1', client: 'a' });
    const synced = await log.openSync();
    await append(log, ['ada', 'ben', 'cleo', 'dan', 'eve']);
    const tab = log.open();
    let letOn = () => {};
    const held = new Promise<void>((resolve) => {
      letOn = resolve;
    });
    let wasHeld = false;
    const { projections, moveClock } = await startBank(
      inPages(tab, 2, async (from) => {
        if (from !== 3) return;
        wasHeld = true;
        await held;
      }),
    );
    await expect.poll(() => wasHeld).toBe(true);
    projections.close();
    await replaceAfter(synced, 1, 'fay');
    await tab.head();
    moveClock(10_000);
    letOn();
    await pause();
    expect(await log.snapshots.loadProjections()).toEqual([]);
  });
});

/** The projections of a worker on a log. */
async function startBank(log: EventLog) {
  let now = 0;
  const projections = await startProjections({
    app: bankApp,
    log,
    upcaster: createUpcaster(bankApp),
    now: () => now,
    isWanted: () => false,
    onPatch: () => undefined,
    onEvents: () => undefined,
    onNewRows: () => undefined,
    onChange: () => undefined,
    onFailure: () => undefined,
  });
  return {
    projections,
    moveClock: (byMs: number) => {
      now += byMs;
    },
  };
}

/** A log that is read in small pages. `before` is awaited before each, with its first position. */
function inPages(log: EventLog, size: number, before: (from: number) => Promise<unknown>): EventLog {
  return {
    ...log,
    get order() {
      return log.order;
    },
    read: async function* (query) {
      const { rebases } = log.order;
      for await (const page of log.read(query)) {
        for (let start = 0; start < page.length; start += size) {
          await before(page[start]?.position ?? 0);
          yield page.slice(start, start + size);
          if (log.order.rebases !== rebases) return;
        }
      }
    },
  };
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 20));

const append = (log: EventLog, ids: readonly string[]) =>
  log.write(async (transaction) => {
    const events = [];
    for (const id of ids) events.push(...(await transaction.append(deposit(id, 1))));
    return events;
  });

/** As a rebase does that withdraws what was pending: others' commit stands there instead of the first of it. */
const replaceAfter = (synced: SyncedLog, g: number, id: string) =>
  synced.write(async (transaction) => {
    const [, ...kept] = await transaction.cutAfter(g);
    await transaction.append(deposit(id, 1));
    for (const { commit } of kept) await transaction.append(commit);
  });

const deposit = (id: string, amount: number): NewCommit => {
  const commandId = `other-${id}`;
  const event = { id: `${commandId}.0`, stream: `account-${id}`, type: 'Deposited', version: 1, data: { amount } };
  return { commandId, correlationId: commandId, recordedAt: 0, events: [event] };
};
