import { FailureError } from '../core/errors.ts';
import type { RecordedEvent } from '../core/events.ts';
import { toCanonicalJson } from '../core/json.ts';
import { linkCommit } from '../protocol/commit-digest.ts';
import { inTransaction, requestResult } from './idb.ts';
import type { LogRecord } from './log-record.ts';
import { type LinkedCommit, packCommits } from './pack-commits.ts';
import { eventId } from './record-commit.ts';
import { orderMark } from './segment.ts';
import { reset } from './storage-error.ts';

/**
 * A record of format 1, with keys by the position of its last event: a commit, or a run of a long one that starts
 * `offset` events into it.
 */
interface CommitRecord {
  readonly first: number;
  readonly last: number;
  readonly commandId: string;
  readonly correlationId: string;
  readonly causationId?: string;
  readonly recordedAt: number;
  readonly offset: number;
  /** Streams of its events, each once. */
  readonly streams: readonly string[];
  /** JSON text: `[place in streams, revision, type, version, data]` per event. */
  readonly events: string;
}

type Row = readonly [stream: number, revision: number, type: string, version: number, data: unknown];

/** Records that are read at a time, some megabytes. */
const pageRecords = 256;

export interface ConvertOptions {
  /** Name of the database, for failures. */
  readonly name: string;
  readonly logId: string;
  readonly hangMs?: number | undefined;
}

/**
 * Rewrites a log of format 1 as format 2, with the same log id, positions and events; does nothing where it is not of
 * format 1 any more, because another tab was faster. `fresh` is the record of a new log: its client writes the links.
 *
 * One transaction, not an upgrade of the database: killed at any point, it is still format 1 and starts again at the
 * next opening. Code that writes format 1 meanwhile waits for it and is then refused by the record.
 */
export function convertFormat1(
  database: IDBDatabase,
  fresh: LogRecord,
  { name, logId, hangMs }: ConvertOptions,
): Promise<void> {
  const stores = ['meta', 'commits', 'streams', 'segments'];
  return inTransaction(database, stores, 'readwrite', { durability: 'strict', hangMs }, async (transaction) => {
    const meta = transaction.objectStore('meta');
    const commits = transaction.objectStore('commits');
    const segments = transaction.objectStore('segments');
    const old: Pick<LogRecord, 'write' | 'logId' | 'head'> | undefined = await requestResult(meta.get('log'));
    // Cleared since it was looked at.
    if (old?.logId !== logId) throw new FailureError(reset(name));
    if (old.write !== 1) return;
    let record: LogRecord = { ...fresh, logId };
    let parts: CommitRecord[] = [];
    for (let from = 1, atEnd = false; !atEnd; ) {
      const page: CommitRecord[] = await requestResult(commits.getAll(IDBKeyRange.lowerBound(from), pageRecords));
      atEnd = page.length === 0;
      const first = record.head + 1;
      const linked: LinkedCommit[] = [];
      const link = () => {
        if (parts.length === 0) return;
        const next = linkParts(parts, record);
        linked.push(next.commit);
        record = next.record;
      };
      for (const part of page) {
        if (part.first !== from) throw damaged(name, from);
        from = part.last + 1;
        if (part.offset === 0) {
          link();
          parts = [];
        }
        parts.push(part);
      }
      // Before that, the last commit of the page may go on in the next one.
      if (atEnd) link();
      for (const segment of packCommits(first, linked)) segments.add(segment, [record.generation, segment.last]);
    }
    if (record.head !== old.head) throw damaged(name, record.head + 1);
    commits.clear();
    transaction.objectStore('streams').clear();
    meta.put(record, 'log');
  });
}

/** The commit that stands in these records, linked to the end of the log, and the log's record after it. */
function linkParts(
  parts: readonly CommitRecord[],
  record: LogRecord,
): { readonly commit: LinkedCommit; readonly record: LogRecord } {
  const { commandId, correlationId, causationId, recordedAt } = parts[0] as CommitRecord;
  const events: RecordedEvent[] = [];
  const payloads: string[] = [];
  const { logId, client, digest: prev, order: before } = record;
  const clientSeq = record.clientSeq + 1;
  const cause = causationId === undefined ? {} : { causationId };
  const meta = { commandId, correlationId, ...cause, recordedAt };
  for (const { streams, events: text } of parts) {
    // Written by our own code, in its format 1.
    for (const [place, revision, type, version, data] of JSON.parse(text) as readonly Row[]) {
      const canonical = toCanonicalJson(data);
      // It had been checked by the same rules before it was stored.
      if ('problem' in canonical) throw new Error(`An event of "${commandId}" is not JSON: ${canonical.problem}.`);
      const index = events.length;
      const position = record.head + index + 1;
      const stream = streams[place] ?? '';
      events.push({ id: eventId(commandId, index), stream, revision, position, type, version, data, meta });
      payloads.push(canonical.text);
    }
  }
  const head = { ...meta, client, clientSeq };
  const { digest, order } = linkCommit(logId, head, events, payloads, { digest: prev, order: before });
  return {
    commit: { head, events, payloads, prev, digest, before, after: order, mark: orderMark(order) },
    record: { ...record, head: record.head + events.length, clientSeq, digest, order },
  };
}

function damaged(name: string, position: number): FailureError {
  return new FailureError({
    type: 'storage.damaged',
    text: `The database "${name}" is of an older format and cannot be converted: the events from position ${position} on are not there. Nothing was changed. Report it with the version of the app that wrote it, and keep this browser's data.`,
  });
}
