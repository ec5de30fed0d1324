import { command, type Receipt } from 'varve';
import type { Client } from 'varve/client';
import { Account, Accounts } from './ledger.ts';
import type { StatementMessage } from './read-statement.ts';
import type { LineProblem, Statement } from './statement.ts';

export interface ImportProgress {
  readonly step: 'reading' | 'saving';
  readonly done: number;
  readonly total: number;
}

export interface ImportOptions {
  readonly signal: AbortSignal;
  readonly archiveSample: boolean;
  readonly onProgress: (progress: ImportProgress) => void;
}

export type ImportResult =
  | { readonly status: 'imported'; readonly lines: number; readonly accounts: number }
  | { readonly status: 'known' }
  | { readonly status: 'malformed'; readonly problems: readonly LineProblem[] }
  | { readonly status: 'cancelled' }
  | { readonly status: 'failed'; readonly text: string };

/**
 * Imports a statement as one commit: all of its lines, or none.
 *
 * The commit is named after the file's content, so that importing the same file again changes nothing.
 */
export async function importStatement(client: Client, file: File, options: ImportOptions): Promise<ImportResult> {
  const { signal, archiveSample, onProgress } = options;
  const read = await readInWorker(file, options);
  if (read.type !== 'statement')
    return read.type === 'cancelled' ? { status: 'cancelled' } : { status: 'failed', text: read.text };
  const { lines, problems } = read.statement;
  if (problems.length > 0) return { status: 'malformed', problems };
  if (lines.length === 0) return { status: 'failed', text: 'The file holds a header and no transactions.' };

  const samples = archiveSample ? [...client.mirror(Accounts).rows.values()].filter(({ sample }) => sample) : [];
  const commands = [
    ...samples.map(({ id }) => command(Account, id, 'archive')),
    ...lines.map(({ account, ...line }) => command(Account, account, 'record', line)),
  ];
  const savedBefore = client.status.getState().saved;
  const receipt = await client.execute(commands, {
    commandId: `statement-${read.hash}`,
    signal,
    onProgress: ({ done, total }) => onProgress({ step: 'saving', done, total }),
  });
  return toResult(receipt, lines, { savedBefore, archived: samples.length });
}

function toResult(
  receipt: Receipt,
  lines: Statement['lines'],
  { savedBefore, archived }: { readonly savedBefore: number; readonly archived: number },
): ImportResult {
  switch (receipt.status) {
    case 'saved':
      if (receipt.position <= savedBefore) return { status: 'known' };
      return { status: 'imported', lines: lines.length, accounts: new Set(lines.map(({ account }) => account)).size };
    case 'failed':
      if (receipt.failure.type === 'engine.cancelled') return { status: 'cancelled' };
      return { status: 'failed', text: receipt.failure.text };
    case 'rejected':
      return {
        status: 'failed',
        // The commands that archive the sample come first.
        text: `Transaction ${receipt.command - archived + 1} was refused: ${receipt.rejection.code}.`,
      };
  }
}

type Read = Extract<StatementMessage, { type: 'statement' | 'failed' }> | { readonly type: 'cancelled' };

/** Reads the file in a worker of its own; cancelling ends the worker. */
function readInWorker(file: File, { signal, onProgress }: ImportOptions): Promise<Read> {
  const worker = new Worker(new URL('./statement.worker.ts', import.meta.url), { type: 'module' });
  return new Promise<Read>((resolve) => {
    signal.addEventListener('abort', () => resolve({ type: 'cancelled' }), { once: true });
    const fail = (text: string) => resolve({ type: 'failed', text });
    worker.onerror = (event) => fail(stopToText(event));
    worker.onmessageerror = () => fail('The file holds more than this page can take. Import it in parts.');
    worker.onmessage = ({ data }: MessageEvent<StatementMessage>) => {
      if (data.type === 'progress') onProgress({ step: 'reading', done: data.done, total: data.total });
      else resolve(data);
    };
    worker.postMessage(file);
  }).finally(() => worker.terminate());
}

/** A script that cannot be loaded stops without a message. */
function stopToText({ message }: { readonly message?: string }): string {
  if (!message) return 'The reader could not be loaded. Reload the page and try again.';
  return `The reader stopped: ${message.replace(/\.$/, '')}.`;
}
