import { FailureError } from '../core/errors.ts';
import { requestResult } from './idb.ts';
import type { SyncRecord } from './log-order.ts';
import { outdated, replaced, reset } from './storage-error.ts';

/** The newest format that this code knows. Raised by every change of the stored form. */
export const newestFormat = 3;

/** What a log is written as, and the oldest code that may read it. */
type Format = Readonly<Pick<LogRecord, 'write' | 'minReader'>>;

/** As 2, and its end may be put into another order: code that does not look for that may not even read it. */
export const syncedFormat: Format = Object.freeze({ write: 3, minReader: 3 });

export const plainFormat: Format = Object.freeze({ write: 2, minReader: 2 });

/** The record that every transaction reads first: the fence against old code and a log that was replaced, and the ends of the chains. */
export interface LogRecord {
  readonly write: number;
  readonly minReader: number;
  readonly logId: string;
  /** The log that stood here before an import took its place. */
  readonly replaces?: string;
  /** The import that put it here. */
  readonly importId?: string;
  /** Tells this log's segments from those of one that is being imported, or was replaced: the first half of their keys. */
  readonly generation: number;
  /** Position of the last event. */
  readonly head: number;
  /** Order hash of the last commit, 32 bytes. */
  readonly order: Uint8Array;
  /** Who writes here: 128 random bits, minted with the database. */
  readonly client: string;
  /** Of this client's last commit: its running number and its digest, 32 bytes. */
  readonly clientSeq: number;
  readonly digest: Uint8Array;
  /** Position up to which everything is in sealed segments and in the index; the key of the newest index block. */
  readonly sealed: number;
  /** Of a log that is synchronised. */
  readonly sync?: SyncRecord;
  /** Imported from a synchronised log: commits need not follow the last ones of their authors. */
  readonly isBranched?: boolean;
}

/**
 * Reads the record. Refuses a log that is not the one that was opened; and, to a writer, one that newer code has
 * written, which readers may go on with as long as its `minReader` allows.
 */
export async function requireLogRecord(
  meta: IDBObjectStore,
  name: string,
  { logId, generation }: Pick<LogRecord, 'logId' | 'generation'>,
): Promise<LogRecord> {
  const record: LogRecord | undefined = await requestResult(meta.get('log'));
  if (record !== undefined && record.generation > generation) throw new FailureError(replaced(name));
  // Cleared or deleted under us: the browser made an empty database in its place. Never filled up as if new.
  if (record?.logId !== logId || record.generation !== generation) throw new FailureError(reset(name));
  const needed = meta.transaction.mode === 'readonly' ? record.minReader : record.write;
  if (needed > newestFormat) throw new FailureError(outdated(name, `format ${record.write}`));
  return record;
}

/** How many times what is pending was put into another order. */
export function rebasesOf({ sync }: LogRecord): number {
  return sync?.rebases ?? 0;
}

/** Keys of segments and blocks up to a position: all of this generation. */
export function keysFrom(generation: number, from: number, to: number = Number.MAX_SAFE_INTEGER): IDBKeyRange {
  return IDBKeyRange.bound([generation, from], [generation, to]);
}
