import { command } from 'varve';
import { type Client, createClient } from 'varve/client';
import { createInProcessWorker, createMemoryEventLog } from 'varve/testing';
import { describe, expect, it } from 'vitest';
import { Account, Accounts, ledger, overdraftLimit } from './ledger.ts';
import { sampleCommandId, sampleCommands } from './sample.ts';

async function withLedger(run: (client: Client) => Promise<void>): Promise<void> {
  const log = createMemoryEventLog();
  const client = createClient(ledger, () => createInProcessWorker({ app: ledger, log }));
  await client.mirror(Accounts).ready;
  await run(client);
  await client.close();
}

describe('an account', () => {
  it('takes deposits and gives what it has and a little more', () =>
    withLedger(async (client) => {
      const { rows } = client.mirror(Accounts);
      await client.execute(Account, 'ada', 'open', { owner: 'Ada' });
      await client.execute(Account, 'ada', 'deposit', { amount: 1000, note: '' });
      const all = { amount: 1000 + overdraftLimit, note: 'everything' };
      expect(await client.execute(Account, 'ada', 'withdraw', all)).toMatchObject({ status: 'saved' });
      expect(rows.get('ada')).toMatchObject({ owner: 'Ada', balance: -overdraftLimit, transactions: 2 });
      expect(await client.execute(Account, 'ada', 'withdraw', { amount: 1, note: '' })).toMatchObject({
        status: 'rejected',
        rejection: { code: 'overdraft-limit', details: { balance: -overdraftLimit, available: 0 } },
      });
    }));

  it('must be open', () =>
    withLedger(async (client) => {
      const deposit = client.execute(Account, 'nobody', 'deposit', { amount: 1, note: '' });
      expect(await deposit).toMatchObject({ status: 'rejected', rejection: { code: 'not-open' } });
    }));

  it('takes whole hellers only, and says which field is wrong', () =>
    withLedger(async (client) => {
      await client.execute(Account, 'ada', 'open', { owner: 'Ada' });
      expect(await client.execute(Account, 'ada', 'deposit', { amount: 0.5, note: '' })).toMatchObject({
        status: 'rejected',
        rejection: { code: 'invalid-input', details: { issues: [{ path: 'amount' }] } },
      });
    }));

  it('may go below the limit by what a statement says, and is opened by its first line', () =>
    withLedger(async (client) => {
      const line = { kind: 'debit', amount: 2 * overdraftLimit, date: '1993-01-01', note: '' } as const;
      await client.execute(Account, '2378', 'record', line);
      expect(client.mirror(Accounts).rows.get('2378')).toMatchObject({ owner: 'Account 2378', balance: -1_000_000 });
    }));

  it('passes money on in one commit, or not at all', () =>
    withLedger(async (client) => {
      const { rows } = client.mirror(Accounts);
      for (const id of ['ada', 'ben']) await client.execute(Account, id, 'open', { owner: id });
      const transfer = (amount: number, to: string) =>
        client.execute([
          command(Account, 'ada', 'withdraw', { amount, note: '' }),
          command(Account, to, 'deposit', { amount, note: '' }),
        ]);
      expect(await transfer(700, 'ben')).toMatchObject({ status: 'saved', events: 2 });
      expect(await transfer(700, 'nobody')).toMatchObject({ status: 'rejected', command: 1 });
      expect([rows.get('ada')?.balance, rows.get('ben')?.balance]).toEqual([-700, 700]);
    }));
});

describe('the sample', () => {
  it('is the same at every start, and in the log once', () =>
    withLedger(async (client) => {
      expect(sampleCommands()).toEqual(sampleCommands());
      const first = await client.execute(sampleCommands(), { commandId: sampleCommandId });
      expect(await client.execute(sampleCommands(), { commandId: sampleCommandId })).toEqual(first);
      const { rows } = client.mirror(Accounts);
      expect(rows.size).toBe(24);
      expect([...rows.values()].every(({ sample, transactions }) => sample && transactions >= 72)).toBe(true);
    }));

  it('leaves when it is archived', () =>
    withLedger(async (client) => {
      await client.execute(sampleCommands());
      const { rows } = client.mirror(Accounts);
      await client.execute([...rows.keys()].map((id) => command(Account, id, 'archive', {})));
      expect(rows.size).toBe(0);
    }));
});
