import { readFileSync } from 'node:fs';
import { command, type RecordedEvent } from 'varve';
import { createClient } from 'varve/client';
import { createInProcessWorker, createMemoryEventLog } from 'varve/testing';
import { describe, expect, it } from 'vitest';
import { Account } from '../ledger.ts';
import { laterAccounts, laterLedger } from './later-ledger.ts';
import { writeHistory } from './ledger-of-2024.ts';

const stored = readFileSync(new URL('ledger-of-2024.ndjson', import.meta.url), 'utf8');
const lines = stored
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line));

/** The stored commits in a log of this process, under the names that are in their hashes. */
async function createStoredLog() {
  const commits = lines.slice(1, -1).map(({ commit }) => commit);
  const log = createMemoryEventLog({ logId: lines[0].logId, client: commits[0].client });
  for (const { commandId, correlationId, recordedAt, events } of commits) {
    await log.write((transaction) => transaction.append({ commandId, correlationId, recordedAt, events }));
  }
  return log;
}

async function openLater() {
  const log = await createStoredLog();
  return createClient(laterLedger, () => createInProcessWorker({ app: laterLedger, log }));
}

describe('a ledger that was written in 2024', () => {
  it('was written by the definitions of that time', async () => {
    expect(await writeHistory()).toBe(stored);
  });

  it('is shown by the ledger of today in rows of today', async () => {
    const client = await openLater();
    const { ready, rows } = client.mirror(laterAccounts);
    await ready;
    expect(client.status.getState().projections).toEqual([]);
    const row = { sample: false };
    expect(Object.fromEntries(rows)).toEqual({
      ada: { ...row, id: 'ada', owner: 'Ada', balance: 74_940, transactions: 3, lastDate: '2024-03-01', revision: 3 },
      ben: { ...row, id: 'ben', owner: 'Ben', balance: 23_051, transactions: 2, lastDate: '2024-03-01', revision: 2 },
    });
    await client.close();
  });

  it('is read as events of today, each of them, where it was stored in two forms and under another name', async () => {
    const client = await openLater();
    const events: Pick<RecordedEvent, 'position' | 'type' | 'version' | 'data'>[] = [];
    for await (const { position, type, version, data } of client.read()) events.push({ position, type, version, data });
    const of = (position: number) => events.find((event) => event.position === position);
    expect(events.map(({ type }) => type)).toEqual(
      lines
        .slice(1, -1)
        .flatMap(({ commit }) =>
          commit.events.map(({ type }: { type: string }) => type.replace('PaidIn', 'Deposited')),
        ),
    );
    expect(of(1)).toEqual({ position: 1, type: 'Opened', version: 1, data: { owner: 'Ada', sample: false } });
    expect(of(4)?.data).toEqual({ amount: 100_000, date: '2024-02-29', note: 'Salary' });
    expect(of(5)?.data).toEqual({ amount: 10, date: '2024-02-29', note: '' });
    expect(of(8)?.data).toEqual({ amount: 1_999, date: '2024-03-01', note: 'Čaj ☕' });
    await client.close();
  });

  it('is as it was stored afterwards, to the byte, and goes on', async () => {
    const client = await openLater();
    await client.mirror(laterAccounts).ready;
    expect(await client.verify()).toEqual({ status: 'verified', events: 9 });
    expect(await new Response(client.export()).text()).toBe(stored);

    const receipt = await client.execute([command(Account, 'ada', 'withdraw', { amount: 4, note: '' })]);
    expect(receipt).toMatchObject({ status: 'saved' });
    const grown = (await new Response(client.export()).text()).split('\n');
    expect(grown.slice(0, lines.length - 1)).toEqual(stored.split('\n').slice(0, lines.length - 1));
    expect(JSON.parse(grown.at(-3) ?? '').commit.events).toEqual([
      {
        stream: 'account-ada',
        type: 'Withdrawn',
        version: 2,
        data: { amount: 4, note: '', date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/) },
      },
    ]);
    await client.close();
  });
});
