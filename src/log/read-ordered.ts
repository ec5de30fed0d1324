import { bytesToHex } from '../protocol/hex.ts';
import { requestResult } from './idb.ts';
import { keysFrom, type LogRecord } from './log-record.ts';
import { toOrderedCommit } from './ordered-commit.ts';
import type { Segment } from './segment.ts';
import { createLinker, type LinkedWholeCommit, toStoredCommit } from './stored-commits.ts';
import type { OrderedCommit } from './synced-log.ts';

/** Segments that are read at a time: a megabyte or two. */
const pageSegments = 32;

/** Stored commits after a position, oldest first, as they travel. */
export async function readOrdered(
  record: LogRecord,
  segments: IDBObjectStore,
  g: number,
  limit: number,
): Promise<readonly OrderedCommit[]> {
  const link = createLinker(record.logId);
  const found: OrderedCommit[] = [];
  for (let from = await startOfCommit(record, segments, g + 1); from <= record.head && found.length < limit; ) {
    // Where little is wanted, little is read and linked.
    const count = Math.min(pageSegments, limit);
    const page: Segment[] = await requestResult(segments.getAll(keysFrom(record.generation, from, record.head), count));
    for (const segment of page) {
      for (const linked of link(segment)) {
        if (linked.commit.last > g && found.length < limit) found.push(toOrdered(record.logId, linked));
      }
    }
    const last = page.at(-1)?.last;
    if (last === undefined) break;
    from = last + 1;
  }
  return found;
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
