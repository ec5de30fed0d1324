import { describe, expect, it, onTestFinished } from 'vitest';
import { createClient } from '../../client/client.ts';
import type { NewCommit } from '../../log/event-log.ts';
import { createMemoryEventLog } from '../../log/memory-event-log.ts';
import { noHash } from '../../protocol/sync-commit.ts';
import { Account, Balances, bankApp } from '../../testing/fixtures/bank-app.ts';
import { createInProcessWorker } from '../../testing/in-process-worker.ts';

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

const deposit = (id: string, amount: number): NewCommit => {
  const commandId = `other-${id}`;
  const event = { id: `${commandId}.0`, stream: `account-${id}`, type: 'Deposited', version: 1, data: { amount } };
  return { commandId, correlationId: commandId, recordedAt: 0, events: [event] };
};
