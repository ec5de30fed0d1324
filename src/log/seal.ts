import { requestResult } from './idb.ts';
import { keysFrom, type LogRecord } from './log-record.ts';
import type { ViewStores } from './log-view.ts';
import { commitCount, packSegment, type Segment, segmentStreams, unpackSegment } from './segment.ts';
import { extendBlocks, type IndexBlock, indexSegment } from './segment-index.ts';
import { createSegmentRoom, type SegmentPart } from './segment-room.ts';

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
  const runs = toRuns(tail);
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
function toRuns(tail: readonly Segment[]): Segment[][] {
  const runs: Segment[][] = [];
  let run: Segment[] = [];
  let room = createSegmentRoom();
  const end = () => {
    if (run.length > 0) runs.push(run);
    run = [];
    room = createSegmentRoom();
  };
  for (const segment of tail) {
    if (segment.piece !== undefined) {
      end();
      runs.push([segment]);
      continue;
    }
    const part = segmentToPart(segment);
    if (!room.take(part)) {
      end();
      room.take(part);
    }
    run.push(segment);
  }
  return runs;
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
