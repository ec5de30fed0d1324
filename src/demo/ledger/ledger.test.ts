import { command } from 'varve';
import { type Client, createClient } from 'varve/client';
import { createInProcessWorker, createMemoryEventLog, projectionSpec, spec } from 'varve/testing';
import { describe, expect, it } from 'vitest';
import { Account, AccountEvents, Accounts, ledger, overdraftLimit } from './ledger.ts';
import { sampleCommandId, sampleCommands } from './sample.ts';

async function withLedger(run: (client: Client) => Promise<void>): Promise<void> {
  const log = createMemoryEventLog();
  const client = createClient(ledger, () => createInProcessWorker({ app: ledger, log }));
  await client.mirror(Accounts).ready;
  await run(client);
  await client.close();
}

describe('an account', () => {
  const date = '1970-01-01';
  const opened = AccountEvents.Opened({ owner: 'Ada', sample: false });
  const deposited = AccountEvents.Deposited({ amount: 1000, date, note: '' });

  it('takes deposits and gives what it has and a little more', () => {
    const open = spec(Account).given(opened);
    open.when('deposit', { amount: 1000, note: '' }).then(deposited);
    const note = 'everything';
    const all = 1000 + overdraftLimit;
    const withdrawn = AccountEvents.Withdrawn({ amount: all, date, note });
    open.given(deposited).when('withdraw', { amount: all, note }).then(withdrawn);
    open
      .given(deposited, withdrawn)
      .when('withdraw', { amount: 1, note: '' })
      .thenRejected('overdraft-limit', { balance: -overdraftLimit, available: 0 });
  });

  it('is opened once, and must be open', () => {
    spec(Account).when('open', { owner: ' Ada ' }).then(opened);
    spec(Account).given(opened).when('open', { owner: 'Eve' }).thenRejected('already-open');
    spec(Account).when('deposit', { amount: 1, note: '' }).thenRejected('not-open');
    spec(Account)
      .given(opened, AccountEvents.Archived())
      .when('withdraw', { amount: 1, note: '' })
      .thenRejected('not-open');
    spec(Account).when('archive').thenNothing();
  });

  it('takes whole hellers only', () => {
    spec(Account).given(opened).when('deposit', { amount: 0.5, note: '' }).thenRejected('invalid-input');
  });

  it('books on the day of Prague, whatever day it is elsewhere', () => {
    const expectDate = (now: number, day: string) =>
      spec(Account, { now })
        .given(opened)
        .when('deposit', { amount: 1, note: '' })
        .then(AccountEvents.Deposited({ amount: 1, date: day, note: '' }));
    expectDate(Date.UTC(2025, 11, 31, 23, 30), '2026-01-01');
    expectDate(Date.UTC(2026, 5, 30, 21, 59), '2026-06-30');
    expectDate(Date.UTC(2026, 5, 30, 22), '2026-07-01');
  });

  it('may go below the limit by what a statement says, and is opened by its first line', () => {
    const line = { amount: 2 * overdraftLimit, date: '1993-01-01', note: '' };
    spec(Account, { id: '2378' })
      .when('record', { kind: 'debit', ...line })
      .then(AccountEvents.Opened({ owner: 'Account 2378', sample: false }), AccountEvents.Withdrawn(line));
  });

  it('begins with nothing where it is opened again', () =>
    withLedger(async (client) => {
      const credit = (amount: number) => ({ kind: 'credit', amount, date, note: '' }) as const;
      await client.execute(Account, 'ada', 'record', credit(1000));
      await client.execute(Account, 'ada', 'archive');
      await client.execute(Account, 'ada', 'record', credit(500));
      expect(client.mirror(Accounts).rows.get('ada')?.balance).toBe(500);
      expect(
        await client.execute(Account, 'ada', 'withdraw', { amount: overdraftLimit + 501, note: '' }),
      ).toMatchObject({
        status: 'rejected',
        rejection: { code: 'overdraft-limit', details: { balance: 500, available: overdraftLimit + 500 } },
      });
    }));

  it('shows as a row until it is archived', () => {
    const story = projectionSpec(Accounts).given('account-ada', opened, deposited);
    const row = { id: 'ada', owner: 'Ada', sample: false, balance: 1000, transactions: 1, lastDate: date, revision: 1 };
    story.thenRows({ ada: row });
    story.given('account-ada', AccountEvents.Archived()).thenNoRow('ada');
  });

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
      await client.execute([...rows.keys()].map((id) => command(Account, id, 'archive')));
      expect(rows.size).toBe(0);
    }));
});
