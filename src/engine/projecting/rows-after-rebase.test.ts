import { describe, expect, it, onTestFinished } from 'vitest';
import { createClient } from '../../client/client.ts';
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
});
