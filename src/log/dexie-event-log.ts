import type { Env } from '../core/env.ts';
import { FailureError } from '../core/errors.ts';
import type { EventQuery } from '../core/event-query.ts';
import type { RecordedEvent } from '../core/events.ts';
import { defaultMaxEventBytes, hardMaxEventBytes } from '../protocol/commit-checks.ts';
import type { LogHint } from '../protocol/engine-api.ts';
import { createDexieSnapshotStore } from './dexie-snapshot-store.ts';
import type { EventLog, LogClosedListener, WriteOptions } from './event-log.ts';
import { inTransaction, requestResult } from './idb.ts';
import type { StageOptions, Staging } from './import-log.ts';
import { createLiveDatabase } from './live-database.ts';
import { createOrderWatch } from './log-order.ts';
import { keysFrom, type LogRecord, newestFormat, rebasesOf, requireLogRecord } from './log-record.ts';
import { type ChangeLog, openTransaction } from './log-transaction.ts';
import { createLogView, endOf, type LogView, type ViewStores } from './log-view.ts';
import { newLogRecord, openLogRecord } from './open-log-record.ts';
import { createLogScan } from './scan-log.ts';
import type { Segment } from './segment.ts';
import { segmentToEvents } from './segment-events.ts';
import { type IndexBlock, queryTerms } from './segment-index.ts';
import { fullSegment } from './segment-room.ts';
import { outdated } from './storage-error.ts';
import { joinTabHints } from './tab-hints.ts';
import type { LogPart } from './verify-log.ts';
import { orderAfter } from './whole-commits.ts';

const viewStores: readonly string[] = ['meta', 'segments', 'index'];

/** Unsealed events from which on the tail is sealed: two full segments, so that one is always left. */
const sealFrom = 2 * fullSegment.events;

/** How long a write is left alone before the tail is sealed behind it. */
const sealDelayMs = 50;

/** Segments that are read at a time. */
const pageSegments = Object.freeze({ first: 4, full: 40, verify: 8 });

export interface DexieEventLogOptions {
  /** Name of the IndexedDB database. */
  readonly name: string;
  readonly env: Env;
  /** The log that is wanted: the id of a new one, where another device began it. */
  readonly logId?: string | undefined;
  /** What the page remembers of this log; where it remembers more events than there are, the log lost them. */
  readonly hint?: LogHint | undefined;
  readonly onClosed?: LogClosedListener;
  readonly openTimeoutMs?: number;
  /** How long a transaction may stand still before it is run again on a fresh connection; 5,000 by default. */
  readonly hangMs?: number;
  /** Largest payload of an event, at most 262,144 bytes; 65,536 by default. */
  readonly maxEventBytes?: number;
}

/** A log that can be replaced as a whole. */
export interface DexieEventLog extends EventLog {
  stage(options: StageOptions): Promise<Staging>;
}

/**
 * Opens the event log in IndexedDB, and creates it where there has never been one.
 *
 * Throws `FailureError` with `storage.unavailable`, `storage.outdated`, `storage.reset`, or `storage.failed` where it is
 * another log than the one that is wanted.
 */
export async function openDexieEventLog(options: DexieEventLogOptions): Promise<DexieEventLog> {
  const { name, env, hint, hangMs, onClosed, openTimeoutMs = 10_000, maxEventBytes = defaultMaxEventBytes } = options;
  if (maxEventBytes > hardMaxEventBytes) throw new Error(`maxEventBytes can be ${hardMaxEventBytes} at most.`);
  const view = createLogView();
  let sealTimer: ReturnType<typeof setTimeout> | undefined;
  const database = createLiveDatabase({ name, openTimeoutMs, onClosed });

  const found = await database.run((handle) =>
    openLogRecord(handle, { name, hint, logId: options.logId, env, hangMs }),
  );
  const { logId } = found;
  const minted = newLogRecord(env);
  if (found.write === 1) {
    // What is rarely needed is loaded when it is.
    const { convertFormat1 } = await import('./convert-format-1.ts');
    await database.run((handle) => convertFormat1(handle, minted, { name, logId, hangMs }));
  }
  const own: Pick<LogRecord, 'logId' | 'generation'> = found.write === 1 ? { ...minted, logId } : found;
  const watch = createOrderWatch(found.sync);
  const noticedRebases = () => watch.order.rebases;
  // An import puts a log of another id into the same database.
  const address = `${name}:${logId}`;
  const hints = joinTabHints(address, { generation: own.generation, format: newestFormat }, noticedRebases);

  /** Once sync is opened, the record is that of a synchronised log, also where it could not be written yet. */
  let recordForm = (record: LogRecord): LogRecord => record;

  /** What every transaction of this opening begins with. */
  const requireRecord = async (meta: IDBObjectStore): Promise<LogRecord> => {
    const record = recordForm(await requireLogRecord(meta, name, own));
    watch.notice(record.sync);
    return record;
  };

  /** A transaction over the log, with the view brought up to it. */
  function inLog<Result>(
    mode: IDBTransactionMode,
    durability: IDBTransactionDurability,
    work: (record: LogRecord, stores: ViewStores, meta: IDBObjectStore, all: IDBTransaction) => Promise<Result>,
    more: readonly string[] = [],
  ): Promise<Result> {
    return database.run((handle) =>
      inTransaction(handle, [...viewStores, ...more], mode, { durability, hangMs }, async (transaction) => {
        const meta = transaction.objectStore('meta');
        const stores = { segments: transaction.objectStore('segments'), index: transaction.objectStore('index') };
        return work(await requireRecord(meta), stores, meta, transaction);
      }),
    );
  }

  const begin = (record: LogRecord, current: LogView, stores: ViewStores) =>
    openTransaction(record, current, stores, maxEventBytes);

  /** A transaction that changes the log; when it is complete, everybody is told of what is new. */
  const change: ChangeLog = async (durability, work, more = []) => {
    const run = () =>
      inLog(
        'readwrite',
        durability,
        async (record, stores, meta, all) => {
          await view.refresh(record, stores);
          const changed = await work(record, view, { ...stores, pending: all.objectStore('pending') }, all);
          if (changed.flushed !== undefined) meta.put(changed.flushed.record, 'log');
          return changed;
        },
        ['pending', ...more],
      );
    const {
      result,
      flushed,
      isNews = true,
    } = await run().catch(async (error: unknown) => {
      if (!(error instanceof FailureError) || error.failure.type !== 'storage.quota-exceeded') throw error;
      // What can be made again makes room. Where there was none of it, nothing has changed: in Chromium each attempt
      // takes room from the next, until the database is compacted.
      if (!(await snapshots.clear().catch(() => false))) throw error;
      return run();
    });
    if (flushed !== undefined) {
      const { record, segments, events } = flushed;
      watch.notice(record.sync);
      view.add(segments);
      if (isNews) hints.announce(record.head, events, rebasesOf(record));
      sealSoon(record);
    }
    return result;
  };

  function sealSoon({ head, sealed }: Pick<LogRecord, 'head' | 'sealed'>): void {
    if (sealTimer !== undefined || database.isClosed || head - sealed < sealFrom) return;
    sealTimer = setTimeout(() => {
      // What goes wrong here goes wrong for the next write too, which tells; nothing is lost by an unsealed tail.
      void sealOnce()
        .catch(() => undefined)
        .then((record) => {
          sealTimer = undefined;
          if (record !== undefined) sealSoon(record);
        });
    }, sealDelayMs);
  }

  /** @returns the record after it; undefined where another tab does it. */
  async function sealOnce(): Promise<LogRecord | undefined> {
    // Not part of what a start waits for.
    const { sealTail } = await import('./seal.ts');
    const seal = () =>
      inLog('readwrite', 'relaxed', async (record, stores, meta) => {
        // Before it, for a view that is behind finds its place in the segments that were written; and not with the new
        // record: where this is aborted, the view would not know what is still in the tail.
        await view.refresh(record, stores);
        const sealed = await sealTail(record, stores);
        if (sealed !== undefined) meta.put(sealed, 'log');
        return sealed;
      });
    // Another tab does the same: the lock saves work, the transaction makes it safe without.
    const locks = typeof navigator === 'undefined' ? undefined : navigator.locks;
    if (locks === undefined) return seal();
    return locks.request(`varve:seal:${address}`, { ifAvailable: true }, async (lock) =>
      lock === null ? undefined : seal(),
    );
  }

  const scan = createLogScan(
    own.generation,
    (read) =>
      database.run((handle) =>
        inTransaction(
          handle,
          ['meta', 'segments'],
          'readonly',
          { durability: 'relaxed', hangMs },
          async (transaction) => {
            // Asked for together: what is asked for a turn later is not read while a page is folded.
            const [result, record] = await Promise.all([
              read(transaction.objectStore('segments')),
              requireRecord(transaction.objectStore('meta')),
            ]);
            return { record, result };
          },
        ),
      ),
    noticedRebases,
  );

  /** A page of what is sealed, which never changes; then the whole tail at once, with the record that it ends at. */
  const readPart = (from: number): Promise<LogPart> =>
    inLog('readonly', 'relaxed', async (record, { segments, index }) => {
      // What newer code has written cannot be judged by this one.
      if (record.write > newestFormat) throw new FailureError(outdated(name, `format ${record.write}`));
      const isTail = from > record.sealed;
      const keys = isTail ? keysFrom(record.generation, from) : keysFrom(record.generation, from, record.sealed);
      const count = isTail ? undefined : pageSegments.verify;
      const [found, places, blocks] = await Promise.all([
        requestResult<Segment[]>(segments.getAll(keys, count)),
        requestResult(segments.getAllKeys(keys, count)),
        requestResult<IndexBlock[]>(index.getAll(keys, pageSegments.verify)),
      ]);
      return { record, segments: found, keys: places.map(keyToPosition), blocks, isTail: isTail || found.length === 0 };
    });

  /** The segments that the index names, page by page. */
  async function* readIndexed(
    lists: readonly (readonly number[])[],
    { from = 1, to = Number.MAX_SAFE_INTEGER, backwards = false }: EventQuery,
  ): AsyncGenerator<readonly Segment[]> {
    const { places, rebases } = await inLog('readonly', 'relaxed', async (record, stores) => {
      await view.refresh(record, stores);
      return { places: await view.find(lists, stores), rebases: rebasesOf(record) };
    });
    const wanted = places.filter((each) => endOf(each) >= from && (typeof each === 'number' || each.first <= to));
    if (backwards) wanted.reverse();
    for (let start = 0, count: number = pageSegments.first; start < wanted.length; ) {
      const page = wanted.slice(start, start + count);
      start += count;
      count = pageSegments.full;
      const segments = page.every((each) => typeof each !== 'number')
        ? page
        : await inLog('readonly', 'relaxed', async (record, stores) =>
            // In another order they stand elsewhere.
            rebasesOf(record) === rebases ? view.load(page, stores) : [],
          );
      if (noticedRebases() !== rebases) return;
      yield segments;
      if (!backwards && (segments.at(-1)?.last ?? 0) >= to) return;
    }
  }

  async function* read(query: EventQuery): AsyncGenerator<readonly RecordedEvent[]> {
    const { from = 1, to = Number.MAX_SAFE_INTEGER, backwards = false } = query;
    const lists = queryTerms(query);
    const pages =
      lists !== undefined ? readIndexed(lists, query) : backwards ? scan.backward(from, to) : scan.forward(from);
    let left = query.limit ?? Number.MAX_SAFE_INTEGER;
    if (left <= 0 || from > to) return void (await inLog('readonly', 'relaxed', async () => undefined));
    // A sealing between two pages may hand out again what stood in short segments before.
    const rest = { ...query, from, to };
    for await (const page of pages) {
      const events = page.flatMap((segment) => {
        const found = segmentToEvents(segment, rest);
        if (backwards) rest.to = Math.min(rest.to, segment.first - 1);
        else rest.from = Math.max(rest.from, segment.last + 1);
        return backwards ? found.reverse() : found;
      });
      if (events.length > left) events.length = left;
      left -= events.length;
      if (events.length > 0) yield events;
      if (left === 0 || (!backwards && (page.at(-1)?.last ?? 0) >= to)) return;
    }
  }

  const head = () => inLog('readonly', 'relaxed', async (record) => record.head);

  const stores = [...viewStores, 'snapshots'];
  const snapshots = createDexieSnapshotStore(
    (mode, work) =>
      database.run((handle) =>
        inTransaction(handle, stores, mode, { durability: 'relaxed', hangMs }, async (transaction) => {
          const record = await requireRecord(transaction.objectStore('meta'));
          return work(record, transaction.objectStore('snapshots'), transaction.objectStore('segments'));
        }),
      ),
    async ({ generation }, segments, position) => {
      const [segment] = await requestResult<Segment[]>(segments.getAll(keysFrom(generation, position), 1));
      return segment && orderAfter(logId, segment, position);
    },
    noticedRebases,
  );

  const stage = async (given: StageOptions): Promise<Staging> => {
    const { createDexieStaging } = await import('./dexie-staging.ts');
    return createDexieStaging(
      (durability, work) =>
        database.run((handle) =>
          inTransaction(handle, [...stores, 'pending'], 'readwrite', { durability, hangMs }, async (transaction) =>
            work({
              meta: transaction.objectStore('meta'),
              segments: transaction.objectStore('segments'),
              index: transaction.objectStore('index'),
              snapshots: transaction.objectStore('snapshots'),
              pending: transaction.objectStore('pending'),
            }),
          ),
        ),
      { name, own, env, ...given },
    );
  };

  return {
    logId,
    address,
    snapshots,
    openCheckpoints: async () => {
      const { createDexieCheckpointStore } = await import('./dexie-checkpoint-store.ts');
      return createDexieCheckpointStore(own.generation, (mode, work) =>
        // Relaxed: what a power cut takes back is done again, and was made to be.
        inLog(mode, 'relaxed', (_record, _stores, meta) => work(meta)),
      );
    },
    stage,
    write: (work, { durability = 'strict' }: WriteOptions = {}) =>
      change(durability, async (record, current, stores) => {
        const transaction = begin(record, current, stores);
        const result = await work(transaction);
        return { result, flushed: transaction.commits.length === 0 ? undefined : transaction.flush() };
      }),
    read,
    readCommits: async function* (from = 1) {
      const { toStoredCommits } = await import('./stored-commits.ts');
      yield* toStoredCommits(logId, scan.forward, from);
    },
    verify: async (verifyOptions) => {
      const { verifyLog } = await import('./verify-log.ts');
      return verifyLog(readPart, verifyOptions);
    },
    head,
    revisions: (streams) =>
      inLog('readonly', 'relaxed', async (record, stores) => {
        await view.refresh(record, stores);
        return view.revisions(streams, stores);
      }),
    onGrowth: hints.listen,
    get order() {
      return watch.order;
    },
    onRebase: watch.listen,
    openSync: async () => {
      const { openSyncedLog, toSynced } = await import('./dexie-synced-log.ts');
      // What was accepted once is put after others whatever the limit is now.
      const beginSync: typeof begin = (record, current, stores) =>
        openTransaction(record, current, stores, hardMaxEventBytes);
      const synced = await openSyncedLog(change, { newClient: env.newId, begin: beginSync });
      recordForm = toSynced;
      if (watch.order.confirmed === undefined) await head();
      return synced;
    },
    close: () => {
      database.close();
      clearTimeout(sealTimer);
      watch.close();
      hints.close();
    },
  };
}

function keyToPosition(key: IDBValidKey): number {
  return Array.isArray(key) && typeof key[1] === 'number' ? key[1] : Number.NaN;
}
