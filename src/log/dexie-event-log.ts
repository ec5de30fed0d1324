import type { Env } from '../core/env.ts';
import { FailureError, type StorageFailure } from '../core/errors.ts';
import { type EventQuery, matchesQuery } from '../core/event-query.ts';
import type { RecordedEvent } from '../core/events.ts';
import type { LogHint } from '../protocol/engine-api.ts';
import { type CommitRecord, commitToRecords, maxRecordEvents, recordToEvents } from './commit-record.ts';
import { type Database, openDatabase } from './database.ts';
import type { EventLog, LogClosedListener, LogTransaction, NewCommit, WriteOptions } from './event-log.ts';
import { inTransaction, requestResult } from './idb.ts';
import { recordCommit } from './record-commit.ts';
import { classifyStorageError, outdated, reset, toStorageFailure } from './storage-error.ts';

/** The format that this code writes, and the oldest code that may read it. Raised by every change of the stored form. */
const format = { write: 1, minReader: 1 };

/** How often one write is tried on a fresh connection after the browser lost the old one. */
const maxAttempts = 3;

/** The record that every write transaction reads first: the fence against old code and against a log that was replaced. */
interface LogRecord {
  readonly write: number;
  readonly minReader: number;
  readonly logId: string;
  /** Position of the last event. */
  readonly head: number;
}

export interface DexieEventLogOptions {
  /** Name of the IndexedDB database. */
  readonly name: string;
  readonly env: Env;
  /** What the page remembers of this log; where it remembers events and there are none, the log was evicted. */
  readonly hint?: LogHint | undefined;
  readonly onClosed?: LogClosedListener;
  readonly openTimeoutMs?: number;
}

/**
 * Opens the event log in IndexedDB, and creates it where there has never been one.
 *
 * Throws `FailureError` with `storage.unavailable`, `storage.outdated` or `storage.reset`.
 */
export async function openDexieEventLog(options: DexieEventLogOptions): Promise<EventLog> {
  const { name, env, hint, onClosed, openTimeoutMs = 10_000 } = options;
  let connection: Promise<Database> | undefined;
  let closedFor: StorageFailure | undefined;

  const onConnectionClosed = (failure?: StorageFailure) => {
    connection = undefined;
    if (failure === undefined || closedFor !== undefined) return;
    closedFor = failure;
    onClosed?.(failure);
  };
  const connect = (): Promise<Database> => {
    if (closedFor !== undefined) return Promise.reject(new FailureError(closedFor));
    connection ??= openDatabase(name, openTimeoutMs, onConnectionClosed).catch((error: unknown) => {
      connection = undefined;
      throw error;
    });
    return connection;
  };
  const disconnect = async () => {
    const lost = connection;
    connection = undefined;
    await lost?.then((database) => database.close()).catch(() => undefined);
  };

  /** Runs on a live connection; one that the browser lost is opened anew and the work run again. */
  async function onConnection<Result>(run: (handle: IDBDatabase) => Promise<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await run((await connect()).handle);
      } catch (error) {
        // What the work threw, a failure or a bug, is passed on; what IndexedDB throws is always a DOMException.
        if (!(error instanceof DOMException)) throw error;
        if (classifyStorageError(error) !== 'connection-lost' || attempt === maxAttempts) {
          throw new FailureError(toStorageFailure(error, name), { cause: error });
        }
        // Whether the lost transaction was committed is unknown: `work` looks its command id up when it runs again.
        await disconnect();
      }
    }
  }

  const readRecords = <Result>(read: (commits: IDBObjectStore) => Promise<Result>): Promise<Result> =>
    onConnection((handle) =>
      inTransaction(handle, ['commits'], 'readonly', 'relaxed', (transaction) =>
        read(transaction.objectStore('commits')),
      ),
    );

  const logId = await onConnection((handle) =>
    inTransaction(handle, ['meta'], 'readwrite', 'strict', async (transaction) => {
      const meta = transaction.objectStore('meta');
      const record: LogRecord | undefined = await requestResult(meta.get('log'));
      if (hint !== undefined && hint.head > 0 && record?.logId !== hint.logId) throw new FailureError(reset(name));
      if (record !== undefined) {
        if (record.minReader > format.write) throw new FailureError(outdated(name, `format ${record.write}`));
        return record.logId;
      }
      const created: LogRecord = { ...format, logId: env.newId(), head: 0 };
      meta.put(created, 'log');
      return created.logId;
    }),
  );

  return {
    logId,
    write: (work, { durability = 'strict' }: WriteOptions = {}) =>
      onConnection((handle) =>
        inTransaction(handle, ['meta', 'commits', 'streams'], 'readwrite', durability, async (transaction) => {
          const meta = transaction.objectStore('meta');
          const record: LogRecord | undefined = await requestResult(meta.get('log'));
          // Cleared or deleted under us: the browser made an empty database in its place. Never filled up as if new.
          if (record?.logId !== logId) throw new FailureError(reset(name));
          if (record.write > format.write) throw new FailureError(outdated(name, `format ${record.write}`));
          const writer = createTransaction(transaction, record.head);
          const result = await work(writer);
          if (writer.head > record.head) meta.put({ ...record, head: writer.head }, 'log');
          return result;
        }),
      ),
    read: (query) =>
      query.stream === undefined ? readAll(readRecords, query) : readStream(readRecords, query.stream, query),
    head: () =>
      onConnection((handle) =>
        inTransaction(handle, ['meta'], 'readonly', 'relaxed', async (transaction) => {
          const record: LogRecord | undefined = await requestResult(transaction.objectStore('meta').get('log'));
          if (record?.logId !== logId) throw new FailureError(reset(name));
          return record.head;
        }),
      ),
    close: () => {
      closedFor ??= { type: 'storage.failed', text: `The database "${name}" was closed by the app.` };
      void disconnect();
    },
  };
}

function createTransaction(transaction: IDBTransaction, startHead: number): LogTransaction {
  const commits = transaction.objectStore('commits');
  const streams = transaction.objectStore('streams');
  const revisionByStream = new Map<string, number>();
  let head = startHead;

  const revisions = async (wanted: readonly string[]) => {
    const unread = wanted.filter((stream) => !revisionByStream.has(stream));
    const found = await Promise.all(unread.map((stream) => requestResult<number | undefined>(streams.get(stream))));
    for (const [index, stream] of unread.entries()) revisionByStream.set(stream, found[index] ?? -1);
    return wanted.map((stream) => revisionByStream.get(stream) ?? -1);
  };

  return {
    get head() {
      return head;
    },
    revisions,
    readStream: async (stream, fromRevision) => {
      const keys = await requestResult(commits.index('streams').getAllKeys(IDBKeyRange.only(stream)));
      const pages: RecordedEvent[][] = [];
      // From the end: with a cached state only the newest records are wanted.
      for (let end = keys.length; end > 0; end -= 64) {
        const page = await readKeys(
          commits,
          keys.slice(Math.max(0, end - 64), end),
          (event) => event.stream === stream,
        );
        pages.push(page);
        if ((page[0]?.revision ?? 0) <= fromRevision) break;
      }
      return pages
        .reverse()
        .flat()
        .filter((event) => event.revision >= fromRevision);
    },
    findCommit: async (commandId) => {
      const records: CommitRecord[] = await requestResult(commits.index('commandId').getAll(commandId));
      return records.length === 0 ? undefined : records.flatMap(recordToEvents);
    },
    append: async (commit: NewCommit) => {
      const touched = [...new Set(commit.events.map(({ stream }) => stream))];
      await revisions(touched);
      const { events, payloads } = recordCommit(commit, head, revisionByStream);
      for (const record of commitToRecords(events, payloads)) commits.add(record);
      for (const stream of touched) streams.put(revisionByStream.get(stream), stream);
      head += events.length;
      return events;
    },
    turn: async () => {
      await requestResult(streams.count(''));
    },
  };
}

type ReadRecords = <Result>(read: (commits: IDBObjectStore) => Promise<Result>) => Promise<Result>;

/** Pages through the whole log; each page is a transaction of its own, so that no reader holds up a writer for long. */
async function* readAll(readRecords: ReadRecords, query: EventQuery): AsyncGenerator<readonly RecordedEvent[]> {
  let left = query.limit ?? Number.MAX_SAFE_INTEGER;
  let from = query.from ?? 1;
  let to = query.to ?? Number.MAX_SAFE_INTEGER;
  let pageRecords = 16;
  while (left > 0 && from <= to) {
    const records = await readRecords((commits) =>
      query.backwards ? newestRecords(commits, from, to, pageRecords) : oldestRecords(commits, from, pageRecords),
    );
    const events = records.flatMap(recordToEvents);
    const first = events[0];
    const last = events.at(-1);
    if (first === undefined || last === undefined) return;
    if (query.backwards) to = first.position - 1;
    else from = last.position + 1;
    const wanted = events.filter((event) => matchesQuery(event, query));
    if (query.backwards) wanted.reverse();
    if (wanted.length > left) wanted.length = left;
    left -= wanted.length;
    if (wanted.length > 0) yield wanted;
    if (records.length < pageRecords) return;
    pageRecords = nextPageRecords(records);
  }
}

async function* readStream(
  readRecords: ReadRecords,
  stream: string,
  query: EventQuery,
): AsyncGenerator<readonly RecordedEvent[]> {
  let left = query.limit ?? Number.MAX_SAFE_INTEGER;
  const keys = await readRecords((commits) =>
    requestResult(commits.index('streams').getAllKeys(IDBKeyRange.only(stream))),
  );
  const wantedKeys = keys.filter((last) => typeof last === 'number' && last >= (query.from ?? 1));
  if (query.backwards) wantedKeys.reverse();
  for (let start = 0; start < wantedKeys.length && left > 0; start += 64) {
    const page = wantedKeys.slice(start, start + 64);
    const events = await readRecords((commits) => readKeys(commits, page, (event) => matchesQuery(event, query)));
    if (query.backwards) events.sort((a, b) => b.position - a.position);
    if (events.length > left) events.length = left;
    left -= events.length;
    if (events.length > 0) yield events;
  }
}

async function readKeys(
  commits: IDBObjectStore,
  keys: readonly IDBValidKey[],
  wanted: (event: RecordedEvent) => boolean,
): Promise<RecordedEvent[]> {
  const records = await Promise.all(keys.map((key) => requestResult<CommitRecord>(commits.get(key))));
  return records.flatMap(recordToEvents).filter(wanted);
}

function oldestRecords(commits: IDBObjectStore, from: number, count: number): Promise<CommitRecord[]> {
  return requestResult(commits.getAll(IDBKeyRange.lowerBound(from), count));
}

/** The newest `count` records that may hold a position up to `to`, oldest first. */
async function newestRecords(
  commits: IDBObjectStore,
  from: number,
  to: number,
  count: number,
): Promise<CommitRecord[]> {
  // The record that holds `to` may end up to a record's length later. Beyond 2^53 there is no key.
  const range = IDBKeyRange.bound(from, Math.min(to + maxRecordEvents, Number.MAX_SAFE_INTEGER));
  const records: CommitRecord[] = [];
  const cursor = commits.openCursor(range, 'prev');
  await new Promise<void>((resolve, reject) => {
    cursor.onerror = () => reject(cursor.error);
    cursor.onsuccess = () => {
      const at = cursor.result;
      if (at === null || records.length === count) return resolve();
      const record: CommitRecord = at.value;
      if (record.first <= to) records.push(record);
      at.continue();
    };
  });
  return records.reverse();
}

/** Grows pages of small commits and shrinks pages of large ones, towards about a megabyte of text and 1,000 records. */
function nextPageRecords(records: readonly CommitRecord[]): number {
  const text = records.reduce((sum, record) => sum + record.events.length, 0);
  return Math.max(4, Math.min(1000, Math.floor((records.length * 1_000_000) / Math.max(1, text))));
}
