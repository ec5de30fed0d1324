import { type Failure, FailureError } from '../core/errors.ts';
import type { RecordedEvent } from '../core/events.ts';
import type { CommitHead } from '../protocol/commit-digest.ts';
import { bytesToHex, hexToBytes } from '../protocol/hex.ts';
import type { CheckedCommit } from './checked-commit.ts';
import { cutSegments } from './cut-segments.ts';
import { createDexieBeside } from './dexie-beside.ts';
import { type LogRecord, syncedFormat } from './log-record.ts';
import type { ChangeLog, OpenTransaction } from './log-transaction.ts';
import type { LogView, ViewStores } from './log-view.ts';
import { toOrderedCommit } from './ordered-commit.ts';
import type { LinkedCommit } from './pack-commits.ts';
import { createReadOrdered, type ReadOrdered } from './read-ordered.ts';
import { recordChecked } from './record-commit.ts';
import { addFork, isSameBase, newSyncRecord, withBase } from './sync-record.ts';
import type { OrderedCommit, SyncedLog, SyncTransaction } from './synced-log.ts';

export interface SyncedLogOptions {
  readonly newClient: () => string;
  /** Begins a transaction of the log in the IndexedDB transaction of the stores. */
  readonly begin: (record: LogRecord, view: LogView, stores: ViewStores) => OpenTransaction;
}

/** As a synchronised log has it: nothing but its record is another one. What newer code has written stays as it is. */
export function toSynced(record: LogRecord): LogRecord {
  if (record.sync !== undefined || record.write > syncedFormat.write) return record;
  return { ...record, ...syncedFormat, sync: newSyncRecord };
}

/**
 * Makes the log a synchronised one, where it is not yet.
 *
 * What cannot be written now stands in nobody's way: what newer code has written can be read, and each transaction says
 * why it writes nothing; on a full device, the first one that finds room writes the record that `toSynced` gives it.
 */
export async function openSyncedLog(change: ChangeLog, options: SyncedLogOptions): Promise<SyncedLog> {
  await change('strict', async (record) => {
    if (record.sync !== undefined) return { result: undefined };
    return { result: undefined, flushed: { record: toSynced(record), segments: [], events: [] }, isNews: false };
  }).catch((error: unknown) => {
    if (!(error instanceof FailureError && toleratedFailures.has(error.failure.type))) throw error;
  });
  const readOrdered = createReadOrdered();
  return {
    write: (work, { durability = 'strict' } = {}) =>
      change(
        durability,
        async (record, view, stores, all) => {
          const staged = stageSync(record, view, stores, all.objectStore('snapshots'), { ...options, readOrdered });
          const result = await work(staged.transaction);
          return { result, ...staged.flush() };
        },
        ['snapshots'],
      ),
  };
}

/**
 * A transaction that may cut. What it appends is stored at its end; a cut stores it at once, takes what follows out of
 * the stores, and goes on with a view of its own: the one of this worker holds only what is committed.
 */
function stageSync(
  start: LogRecord,
  committed: LogView,
  stores: Required<ViewStores>,
  snapshots: IDBObjectStore,
  { newClient, begin, readOrdered }: SyncedLogOptions & { readonly readOrdered: ReadOrdered },
) {
  const { logId } = start;
  let record = start;
  let inner = begin(start, committed, stores);
  let { base } = start.sync ?? newSyncRecord;
  /** The lowest position after which something that was committed is cut. */
  let fork = start.head;

  async function cutAfter(g: number): Promise<readonly OrderedCommit[]> {
    if (g === inner.head) return [];
    const flushed = inner.flush().record;
    const cut = await cutSegments(flushed, stores, g);
    if (g < fork) {
      fork = g;
      const streams = cut.commits.flatMap(({ events }) => events.map(({ stream }) => stream));
      for (const stream of new Set(streams)) snapshots.delete(['state', stream]);
    }
    const sync = fork < start.head ? addFork(start.sync ?? newSyncRecord, fork) : start.sync;
    record = {
      ...flushed,
      ...cut.end,
      ...lastOwnBefore(cut.commits, flushed),
      ...(sync === undefined ? {} : { sync }),
    };
    const view = committed.branch();
    await view.refresh(record, stores);
    inner = begin(record, view, stores);
    return cut.commits;
  }

  async function place({ commit, contents, digest }: CheckedCommit): Promise<readonly RecordedEvent[]> {
    if ((await inner.findCommit(commit.commandId)) !== undefined) {
      throw new Error(`The commit "${commit.commandId}" is in the log already: it cannot be placed again.`);
    }
    const { events } = await inner.add(commit.events, (revisions) => {
      const recorded = recordChecked(commit, contents, inner.head, revisions);
      return { ...recorded, head: toHead(commit), prev: hexToBytes(commit.prev), digest };
    });
    return events;
  }

  const toOrdered = ({ head, prev, digest, after, events }: LinkedCommit): OrderedCommit => {
    const links = { prev: bytesToHex(prev), orderHash: bytesToHex(after) };
    return toOrderedCommit(logId, { ...toHead(head), ...links, events }, bytesToHex(digest));
  };

  async function readAfter(g: number, limit = Number.MAX_SAFE_INTEGER): Promise<readonly OrderedCommit[]> {
    const stored = await readOrdered(record, stores.segments, g, limit);
    const appended = inner.commits.filter(({ events }) => (events.at(-1)?.position ?? 0) > g);
    return [...stored, ...appended.slice(0, Math.max(0, limit - stored.length)).map(toOrdered)];
  }

  const transaction: SyncTransaction = {
    get head() {
      return inner.head;
    },
    get base() {
      return base;
    },
    get client() {
      return inner.end.client;
    },
    get clientSeq() {
      return inner.end.clientSeq;
    },
    get end() {
      return { g: inner.head, oh: bytesToHex(inner.end.order) };
    },
    beside: createDexieBeside(stores.pending),
    revisions: (streams) => inner.revisions(streams),
    readStream: (stream, fromRevision) => inner.readStream(stream, fromRevision),
    readMatching: (filters, after) => inner.readMatching(filters, after),
    findCommit: (commandId) => inner.findCommit(commandId),
    append: (commit, condition) => inner.append(commit, condition),
    turn: () => inner.turn(),
    readAfter,
    cutAfter,
    place,
    setBase: (next) => {
      base = next;
    },
    renewClient: () => inner.setClient(newClient()),
  };

  return {
    transaction,
    flush: () => {
      const flushed = inner.flush();
      const { head } = flushed.record;
      if (base.g > head) throw new Error(`The base ${base.g} is beyond the head ${head} of the log.`);
      const sync = withBase(flushed.record.sync ?? newSyncRecord, base);
      const isRebased = fork < start.head;
      const isMoved = !isSameBase(base, start.sync?.base ?? base);
      const isNews = isRebased || isMoved || head > start.head;
      // Nothing but what is beside the log.
      if (!isNews && record === start && flushed.record.client === start.client) return {};
      // What a cut has stored in between, the view of this worker reads from the stores.
      const segments = record === start ? flushed.segments : [];
      const events = isRebased ? [] : flushed.events;
      return { flushed: { record: { ...flushed.record, sync }, segments, events }, isNews };
    },
  };
}

const toleratedFailures: ReadonlySet<Failure['type']> = new Set(['storage.outdated', 'storage.quota-exceeded']);

/** The own commit that the next one follows, once these are gone from the end of the log. */
function lastOwnBefore(
  cut: readonly OrderedCommit[],
  { client, clientSeq, digest }: LogRecord,
): Pick<LogRecord, 'clientSeq' | 'digest'> {
  let last = { clientSeq, digest };
  for (const { commit, digest: own } of [...cut].reverse()) {
    // One that was placed behind a higher number of its author has moved nothing.
    if (commit.client !== client || commit.clientSeq !== last.clientSeq || own !== bytesToHex(last.digest)) continue;
    last = { clientSeq: commit.clientSeq - 1, digest: hexToBytes(commit.prev) };
  }
  return last;
}

/** What a digest covers besides the events, and no more. */
function toHead({ commandId, correlationId, causationId, recordedAt, client, clientSeq }: CommitHead) {
  const cause = causationId === undefined ? {} : { causationId };
  return { commandId, correlationId, ...cause, recordedAt, client, clientSeq };
}
