import type { Env } from '../core/env.ts';
import { FailureError } from '../core/errors.ts';
import { chainStart } from '../protocol/commit-digest.ts';
import type { LogHint } from '../protocol/engine-api.ts';
import { inTransaction, requestResult } from './idb.ts';
import { type LogRecord, newestFormat, plainFormat } from './log-record.ts';
import { anotherLog, missing, outdated, reset, shortened } from './storage-error.ts';

/**
 * Reads the record of the log that is there, of whatever format, or makes that of a new one where there has never been
 * any: with the id `logId`, where one is given.
 *
 * Throws `FailureError`: `storage.reset` where the page remembers another log or a longer one, `storage.damaged` where
 * there are events without a record, `storage.outdated` where newer code has written, `storage.failed` where the log
 * there has another id than the one asked for.
 */
export function openLogRecord(
  handle: IDBDatabase,
  {
    name,
    hint,
    logId,
    env,
    hangMs,
  }: {
    readonly name: string;
    readonly hint: LogHint | undefined;
    readonly logId: string | undefined;
    readonly env: Env;
    readonly hangMs: number | undefined;
  },
): Promise<LogRecord> {
  const options = { durability: 'strict', hangMs } as const;
  return inTransaction(handle, ['meta', 'segments'], 'readwrite', options, async (transaction) => {
    const meta = transaction.objectStore('meta');
    const record: LogRecord | undefined = await requestResult(meta.get('log'));
    if (hint !== undefined && hint.head > 0) {
      // What another tab has imported in its place is as good.
      const isKnown = record !== undefined && (record.logId === hint.logId || record.replaces === hint.logId);
      if (!isKnown) throw new FailureError(reset(name));
      // A journal that was cut off reads as a shorter log with every hash in order; so does one after a rebase.
      if (record.logId === hint.logId && record.head < hint.head && record.sync === undefined) {
        throw new FailureError(shortened(name, record.head, hint.head));
      }
    }
    if (record !== undefined) {
      if (logId !== undefined && record.logId !== logId) throw new FailureError(anotherLog(name, record.logId, logId));
      if (record.minReader > newestFormat) throw new FailureError(outdated(name, `format ${record.write}`));
      return record;
    }
    // Events without a record: it was lost, and a new one would write over them.
    const stray = await requestResult(transaction.objectStore('segments').count());
    if (stray > 0) throw new FailureError(missing(1, stray));
    const created = newLogRecord(env, logId);
    meta.put(created, 'log');
    return created;
  });
}

export function newLogRecord(env: Env, logId: string = env.newId()): LogRecord {
  return {
    ...plainFormat,
    logId,
    generation: 1,
    head: 0,
    ...chainStart,
    client: env.newId(),
    clientSeq: 0,
    sealed: 0,
  };
}
