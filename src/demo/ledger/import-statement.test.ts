import { createClient } from 'varve/client';
import { createInProcessWorker, createMemoryEventLog } from 'varve/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { importStatement } from './import-statement.ts';
import { Account, Accounts, ledger } from './ledger.ts';
import type { StatementMessage } from './read-statement.ts';
import type { StatementLine } from './statement.ts';

type Listeners = Pick<Worker, 'onmessage' | 'onmessageerror' | 'onerror'>;

/** Imports a file into a ledger that has two sample accounts, where this becomes of the reader that is sent the file. */
async function importWith(happen: (reader: Listeners) => void) {
  class Reader {
    onmessage = null;
    onmessageerror = null;
    onerror = null;
    postMessage() {
      happen(this);
    }
    terminate() {}
  }
  vi.stubGlobal('Worker', Reader);
  const client = createClient(ledger, () => createInProcessWorker({ app: ledger, log: createMemoryEventLog() }));
  onTestFinished(async () => {
    vi.unstubAllGlobals();
    await client.close();
  });
  const { ready, rows } = client.mirror(Accounts);
  await ready;
  for (const id of ['S-01', 'S-02']) await client.execute(Account, id, 'open', { owner: id, sample: true });
  const { signal } = new AbortController();
  const file = new File([], 'statement.csv');
  const result = await importStatement(client, file, { signal, archiveSample: true, onProgress: () => undefined });
  return { result, accounts: [...rows.keys()] };
}

function answer(reader: Listeners, ...lines: readonly StatementLine[]): void {
  const data: StatementMessage = { type: 'statement', statement: { lines, problems: [] }, hash: '0' };
  reader.onmessage?.call(reader as Worker, new MessageEvent('message', { data }));
}

const line: StatementLine = { account: '2378', kind: 'credit', amount: 100, date: '1993-01-01', note: '' };

describe('an import', () => {
  it('puts what the file holds in place of the sample', async () => {
    const { result, accounts } = await importWith((reader) => answer(reader, line, { ...line, account: '576' }));
    expect(result).toEqual({ status: 'imported', lines: 2, accounts: 2 });
    expect(accounts).toEqual(['2378', '576']);
  });

  it('that is refused names the transaction as the file counts it', async () => {
    const { result, accounts } = await importWith((reader) => answer(reader, line, { ...line, amount: 0.5 }));
    expect(result).toEqual({ status: 'failed', text: 'Transaction 2 was refused: invalid-input.' });
    expect(accounts).toEqual(['S-01', 'S-02']);
  });

  it('says that the reader stopped, and what with', async () => {
    const stop = Object.assign(new Event('error'), { message: 'Uncaught RangeError' }) as ErrorEvent;
    const { result } = await importWith((reader) => reader.onerror?.call(reader as Worker, stop));
    expect(result).toEqual({ status: 'failed', text: 'The reader stopped: Uncaught RangeError.' });
  });

  it('says that the reader could not be loaded, of which the browser tells nothing', async () => {
    const { result } = await importWith((reader) =>
      reader.onerror?.call(reader as Worker, new Event('error') as ErrorEvent),
    );
    expect(result).toEqual({
      status: 'failed',
      text: 'The reader could not be loaded. Reload the page and try again.',
    });
  });

  it('says that the page could not take what was read', async () => {
    const { result } = await importWith((reader) =>
      reader.onmessageerror?.call(reader as Worker, new MessageEvent('messageerror')),
    );
    expect(result).toEqual({
      status: 'failed',
      text: 'The file holds more than this page can take. Import it in parts.',
    });
  });
});
