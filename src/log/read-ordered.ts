import { bytesToHex } from '../protocol/hex.ts';
import { requestResult } from './idb.ts';
import { keysFrom, type LogRecord } from './log-record.ts';
import { toOrderedCommit } from './ordered-commit.ts';
import type { Segment } from './segment.ts';
import { createLinker, type LinkedWholeCommit, toStoredCommit } from './stored-commits.ts';
import type { OrderedCommit } from './synced-log.ts';

/** Segments that are read at a time: few at first, for a page of a push is in two of them; then a megabyte or two. */
const pageSegments = Object.freeze({ first: 2, most: 32 });

/** Reads stored commits after position `g`, oldest first, as they travel; `limit` at most. */
export type ReadOrdered = (
  record: LogRecord,
  segments: IDBObjectStore,
  g: number,
  limit: number,
) => Promise<readonly OrderedCommit[]>;

/** Segments whose commits are kept: a push, what is counted around it, and its pull read the same two or three. */
const keptSegments = 4;

/** Keeps what it has linked last: each event is hashed for it, which is most of the work. */
export function createReadOrdered(): ReadOrdered {
  /** By position and order hash at the end: that is of these commits and no others. */
  const kept = new Map<string, readonly OrderedCommit[]>();

  return async (record, segments, g, limit) => {
    const link = createLinker(record.logId);
    const take = (segment: Segment) => link(segment).map((linked) => toOrdered(record.logId, linked));
    const takeKept = (segment: Segment) => {
      const key = `${segment.first} ${bytesToHex(segment.after)}`;
      const commits = kept.get(key) ?? take(segment);
      kept.delete(key);
      kept.set(key, commits);
      for (const oldest of kept.keys()) if (kept.size > keptSegments) kept.delete(oldest);
      return commits;
    };
    const found: OrderedCommit[] = [];
    let count = Math.min(pageSegments.first, limit);
    for (let from = await startOfCommit(record, segments, g + 1); from <= record.head && found.length < limit; ) {
      const keys = keysFrom(record.generation, from, record.head);
      const page: Segment[] = await requestResult(segments.getAll(keys, count));
      count = Math.min(2 * count, pageSegments.most);
      for (const segment of page) {
        // Where little is wanted, little is linked.
        if (found.length === limit) break;
        const commits = segment.piece === undefined ? takeKept(segment) : take(segment);
        for (const commit of commits) if (commit.g > g && found.length < limit) found.push(commit);
      }
      const last = page.at(-1)?.last;
      if (last === undefined) break;
      from = last + 1;
    }
    return found;
  };
}

export function toOrdered(logId: string, linked: LinkedWholeCommit): OrderedCommit {
  return toOrderedCommit(logId, toStoredCommit(linked), bytesToHex(linked.digest));
}

/** A long commit is read from its first piece. */
export async function startOfCommit(
  { generation }: LogRecord,
  segments: IDBObjectStore,
  position: number,
): Promise<number> {
  const [segment]: Segment[] = await requestResult(segments.getAll(keysFrom(generation, position), 1));
  return segment?.piece === undefined ? position : segment.first - segment.piece.offset;
}
