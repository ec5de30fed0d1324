import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readStatement, type StatementMessage } from './read-statement.ts';

const text = 'account_id;date;type;amount\n2378;930101;PRIJEM;700\n';
const statement = {
  lines: [{ account: '2378', kind: 'credit', amount: 70_000, date: '1993-01-01', note: '' }],
  problems: [],
};

/** What is sent of a file; `check` stands for the browser, which may refuse to. */
async function read(content: string | Uint8Array<ArrayBuffer>, check = (_message: StatementMessage) => {}) {
  const sent: StatementMessage[] = [];
  await readStatement(new File([content], 'statement.csv'), (message) => {
    check(message);
    sent.push(message);
  });
  return sent;
}

describe('the reader of a statement', () => {
  it('sends how far it is, and what it read, also from gzip', async () => {
    const total = new TextEncoder().encode(text).length;
    expect(await read(text)).toEqual([
      { type: 'progress', done: total, total },
      { type: 'statement', statement, hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ]);
    expect((await read(new Uint8Array(gzipSync(text)))).at(-1)).toMatchObject({ type: 'statement', statement });
  });

  it('sends that a file is neither text nor gzip', async () => {
    expect(await read(new Uint8Array([0x1f, 0x8b, 0]))).toEqual([
      { type: 'progress', done: 3, total: 3 },
      { type: 'failed', text: expect.stringMatching(/^The file could not be read as text or as gzip/) },
    ]);
  });

  it('sends a failure where what it read cannot be sent', async () => {
    const sent = await read(text, ({ type }) => {
      if (type === 'statement') throw new DOMException('Data cannot be cloned, out of memory.', 'DataCloneError');
    });
    expect(sent.at(-1)).toEqual({
      type: 'failed',
      text: 'The file holds more than can be handed to the page. Import it in parts.',
    });
  });
});
