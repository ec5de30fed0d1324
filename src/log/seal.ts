import { bytesToHex } from '../protocol/hex.ts';
import { requestResult } from './idb.ts';
import { keysFrom, type LogRecord } from './log-record.ts';
import type { ViewStores } from './log-view.ts';
import { commitCount, packSegment, type Segment, segmentStreams, unpackSegment } from './segment.ts';
import { extendBlocks, type IndexBlock, indexSegment } from './segment-index.ts';
import { createSegmentRoom, type SegmentPart } from './segment-room.ts';
import { createLinker } from './stored-commits.ts';

/** Segments of the tail that one sealing looks at: some megabytes, some ten milliseconds. */
const maxSegments = 1_024;

/**
 * Puts one full segment in the place of many short ones and adds it to the index, in the transaction at hand: it may be
 * killed at any point, and run twice. What does not fill a segment stays in the tail.
 *
 * @returns the record with the new `sealed`, or undefined where nothing is full yet.
 */
export async function sealTail(record: LogRecord, { segments, index }: ViewStores): Promise<LogRecord | undefined> {
  const { generation, sealed } = record;
  const [tail, newest] = await Promise.all([
    requestResult<Segment[]>(segments.getAll(keysFrom(generation, sealed + 1), maxSegments)),
    requestResult<IndexBlock | undefined>(index.get([generation, sealed])),
  ]);
  // Without sync, every commit follows its author's last.
  const runs = toRuns(tail, record.sync === undefined ? undefined : createAuthorLinks(record.logId));
  if (runs.length === 0) return undefined;
  const full = runs.map((run) => {
    const [only] = run;
    if (run.length === 1 && only !== undefined) return only;
    const merged = mergeSegments(run);
    for (const { last } of run) segments.delete([generation, last]);
    segments.put(merged, [generation, merged.last]);
    return merged;
  });
  const blocks = extendBlocks(newest, full.map(indexSegment));
  if (newest !== undefined) index.delete([generation, newest.last]);
  for (const block of blocks) index.put(block, [generation, block.last]);
  const last = full.at(-1)?.last ?? sealed;
  return { ...record, sealed: last };
}

/** Runs of segments that fill one; the rest, that does not, is left out. Pieces of long commits stand alone. */
function toRuns(tail: readonly Segment[], links: AuthorLinks | undefined): Segment[][] {
  const runs: Segment[][] = [];
  let run: Segment[] = [];
  let room = createSegmentRoom();
  const end = () => {
    if (run.length > 0) runs.push(run);
    run = [];
    room = createSegmentRoom();
    links?.clear();
  };
  for (const segment of tail) {
    if (segment.piece !== undefined) {
      end();
      runs.push([segment]);
      continue;
    }
    const part = segmentToPart(segment);
    if (links?.follow(segment) === false) end();
    if (!room.take(part)) {
      end();
      // Full already: a rebase cut what it stood in, and left it.
      if (!room.take(part)) {
        runs.push([segment]);
        continue;
      }
    }
    run.push(segment);
    links?.take(segment);
  }
  return runs;
}

/** What the commits of a run follow: in one segment, only the first link of each author is stored. */
interface AuthorLinks {
  /** Whether the first commits of a segment follow those of their authors that were taken before, if any were. */
  follow(segment: Segment): boolean;
  take(segment: Segment): void;
  clear(): void;
}

function createAuthorLinks(logId: string): AuthorLinks {
  const link = createLinker(logId);
  const ends = new Map<string, string>();
  return {
    follow: ({ clients, prevs }) =>
      clients.every(
        (client, at) =>
          (ends.get(client) ?? bytesToHex(prevs[at] as Uint8Array)) === bytesToHex(prevs[at] as Uint8Array),
      ),
    take: (segment) => {
      for (const { commit, digest } of link(segment)) ends.set(commit.head.client, bytesToHex(digest));
    },
    clear: () => ends.clear(),
  };
}

function segmentToPart(segment: Segment): SegmentPart {
  const lineage = [...(segment.correlationIds ?? []), ...(segment.causationIds ?? [])].filter((id) => id !== null);
  return {
    commits: commitCount(segment),
    events: segment.streamOf.length,
    payloadBytes: segment.payloads.length,
    names: [...segmentStreams(segment), ...(segment.tags ?? []), ...lineage],
  };
}

function mergeSegments(run: readonly Segment[]): Segment {
  const [start] = run;
  const end = run.at(-1);
  if (start === undefined || end === undefined) throw new Error('There is nothing to merge.');
  return packSegment(start.first, run.flatMap(unpackSegment), start.before, end.after);
}
