import { expect, it, onTestFinished } from 'vitest';
import type { EventLog } from '../log/event-log.ts';
import { createMemoryEventLog, type MemoryEventLog } from '../log/memory-event-log.ts';
import { Account, bankApp } from '../testing/fixtures/bank-app.ts';
import { createInProcessWorker } from '../testing/in-process-worker.ts';
import { type Client, createClient } from './client.ts';
import { createEventFeed } from './event-feed.ts';

/** Sync that does nothing by itself: the tests move the log. */
const sync = { start: () => ({ wake: () => undefined, stop: async () => undefined }) };

function openClient(openLog: () => EventLog): Client {
  const client = createClient(bankApp, () => createInProcessWorker({ app: bankApp, log: openLog(), sync }), {
    askToPersist: false,
  });
  onTestFinished(() => client.close());
  return client;
}

/** As a server does that confirms all there is. */
async function confirmAll(log: MemoryEventLog): Promise<void> {
  const synced = await log.openSync();
  await synced.write(async (transaction) => transaction.setBase({ epoch: 'e', ...transaction.end }));
}

it('does not count as saved what a command says of an order that is gone, and misses no event after it', async () => {
  const log = createMemoryEventLog({ logId: 'log-1', client: 'c' });
  const synced = await log.openSync();
  const tab = log.open();
  let withdraws = 0;
  const write: EventLog['write'] = async (work, options) => {
    const result = await tab.write(work, options);
    if (withdraws === 0) return result;
    // Three are withdrawn right behind the command, and this tab hears of that before the command's answer goes out.
    const cut = withdraws;
    withdraws = 0;
    await synced.write(async (transaction) => {
      const pending = await transaction.cutAfter(0);
      for (const { commit } of pending.slice(cut)) await transaction.append(commit);
    });
    await tab.head();
    await new Promise((resolve) => setTimeout(resolve, 10));
    return result;
  };
  const client = openClient(() => Object.create(tab, { write: { value: write } }));
  const feed = createEventFeed(client, { limit: 100 });
  onTestFinished(feed.subscribe(() => undefined));
  const deposit = (amount: number) => client.execute(Account, 'ada', 'deposit', { amount });
  for (const amount of [1, 2, 3]) await deposit(amount);
  withdraws = 3;
  expect(await deposit(4)).toMatchObject({ status: 'saved', position: 4 });
  await expect.poll(() => client.status.getState().rebases).toBe(1);
  expect(client.status.getState().saved).toBe(1);
  for (const amount of [5, 6]) await deposit(amount);
  await expect.poll(() => feed.get()?.map(({ data }) => data)).toEqual([{ amount: 6 }, { amount: 5 }, { amount: 4 }]);
});

it('looks up what was confirmed while there was no worker', async () => {
  const log = createMemoryEventLog({ logId: 'log-1', client: 'c' });
  const client = openClient(() => log.open());
  const { commandId } = await client.execute(Account, 'ada', 'deposit', { amount: 1 });
  client.receipts.subscribe(commandId, () => undefined);
  client.startOver();
  await confirmAll(log);
  await expect.poll(() => client.receipts.get(commandId)?.status).toBe('confirmed');
});
