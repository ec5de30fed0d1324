import { FailureError } from '../core/errors.ts';
import { requestResult } from './idb.ts';
import { keysFrom, type LogRecord, rebasesOf } from './log-record.ts';
import type { Segment } from './segment.ts';
import { fullSegment } from './segment-room.ts';
import { missing } from './storage-error.ts';

/** Reads segments in one transaction, together with the log's record. */
export type ReadSegments = <Result>(
  read: (segments: IDBObjectStore) => Promise<Result>,
) => Promise<{ readonly record: LogRecord; readonly result: Result }>;

/**
 * The whole log, page by page of segments, in either direction. All pages are of one order: a read ends where it finds,
 * or the opening has noticed, that there is another one.
 */
export interface LogScan {
  forward(from: number): AsyncGenerator<readonly Segment[]>;
  /** Newest first, from the segment that holds `to` to the one that holds `from`. */
  backward(from: number, to: number): AsyncGenerator<readonly Segment[]>;
}

/** Bytes that one request is to bring. Chromium reads many of this size at a time twice as fast as few of a megabyte. */
const requestBytes = 200_000;

/** What a short segment takes up besides its events. */
const segmentBytes = 300;

/** Requests in one transaction, at most: while their pages are used, as many are on their way. */
const maxRequests = 8;

/** Segments that a backward read begins with, and goes on with. */
const backwardSegments = Object.freeze({ first: 1, full: 8, short: 500 });

/** How many positions a request covers, and how many segments it brings at most. */
interface RequestSize {
  readonly positions: number;
  readonly segments: number;
}

const firstSize: RequestSize = Object.freeze({ positions: 2 * fullSegment.events, segments: 16 });

/** What one transaction has brought. */
interface Run {
  readonly pages: readonly (readonly Segment[])[];
  /** Tells the order that they are of. */
  readonly rebases: number;
  /** Position of the last event that has been read. */
  readonly end: number;
  readonly isEnd: boolean;
  /** Whether the last page lacks segments that were asked for. */
  readonly wasCut: boolean;
}

export function createLogScan(generation: number, readSegments: ReadSegments, noticedRebases: () => number): LogScan {
  /** Pages of what follows a position, in one transaction; a page that was cut short ends them. */
  async function readRun(from: number, count: number, size: RequestSize): Promise<Run> {
    const { record, result } = await readSegments((segments) =>
      Promise.all(
        Array.from({ length: count }, (_, index) => {
          const first = from + index * size.positions;
          const keys = keysFrom(generation, first, first + size.positions - 1);
          return requestResult<Segment[]>(segments.getAll(keys, size.segments));
        }),
      ),
    );
    const cut = result.findIndex((page) => page.length === size.segments);
    const pages = (cut === -1 ? result : result.slice(0, cut + 1)).filter((page) => page.length > 0);
    const end = requireDense(pages, from, record.head);
    const isEnd = cut === -1 && from + count * size.positions > record.head;
    if (isEnd && end < record.head) throw new FailureError(missing(end + 1, record.head));
    return { pages, rebases: rebasesOf(record), end, isEnd, wasCut: cut !== -1 };
  }

  return {
    forward: async function* (start) {
      const from = Math.max(start, 1);
      let count = 1;
      let size = firstSize;
      let known: number | undefined;
      let next: Promise<Run> | undefined = readRun(from, count, size);
      while (next !== undefined) {
        const { pages, rebases, end, isEnd, wasCut }: Run = await next;
        known ??= rebases;
        if (rebases !== known) return;
        // Small requests may lie within one segment, which is found by its end; one of the first size reaches beyond it.
        size = nextSize(pages.at(-1)) ?? firstSize;
        count = wasCut ? 1 : Math.min(2 * count, maxRequests);
        // Read while these pages are used: reading and folding are different processes of the browser.
        next = isEnd ? undefined : readRun(end + 1, count, size);
        // Who stops early never asks for it.
        next?.catch(() => undefined);
        for (const page of pages) {
          if (noticedRebases() !== known) return;
          yield page;
        }
      }
    },
    backward: async function* (from, to) {
      let count: number = backwardSegments.first;
      let known: number | undefined;
      for (let end = to; end >= from; ) {
        // The segment that holds `to` may end up to a segment's length later. Beyond 2^53 there is no position.
        const upper = Math.min(end + fullSegment.events, Number.MAX_SAFE_INTEGER);
        const { record, result: page } = await readSegments((segments) =>
          newestSegments(segments, keysFrom(generation, from, upper), end, count),
        );
        const oldest = page.at(-1);
        known ??= rebasesOf(record);
        if (oldest === undefined || rebasesOf(record) !== known || noticedRebases() !== known) return;
        yield page;
        end = oldest.first - 1;
        const events = page.reduce((sum, segment) => sum + segment.streamOf.length, 0);
        count = events < page.length * 16 ? backwardSegments.short : backwardSegments.full;
      }
    },
  };
}

/** The end of pages that follow each other; a gap is a loss. A sealing in between may repeat what was read before. */
function requireDense(pages: readonly (readonly Segment[])[], from: number, head: number): number {
  let end = from - 1;
  for (const page of pages) {
    for (const { first, last } of page) {
      if (first > end + 1) throw new FailureError(missing(end + 1, head));
      end = last;
    }
  }
  return end;
}

/** What follows is expected to be like what came before; where it is not, a request is cut short. */
function nextSize(page: readonly Segment[] | undefined): RequestSize | undefined {
  if (page === undefined) return undefined;
  let events = 0;
  let bytes = 0;
  for (const { streamOf, payloads } of page) {
    events += streamOf.length;
    bytes += segmentBytes + 30 * streamOf.length + payloads.length;
  }
  const positions = Math.max(4, Math.floor((events * requestBytes) / bytes));
  return { positions, segments: 8 + Math.ceil((2 * positions * page.length) / events) };
}

/** The newest segments that may hold a position up to `to`, newest first. */
async function newestSegments(
  segments: IDBObjectStore,
  range: IDBKeyRange,
  to: number,
  count: number,
): Promise<Segment[]> {
  const found: Segment[] = [];
  const cursor = segments.openCursor(range, 'prev');
  await new Promise<void>((resolve, reject) => {
    cursor.onerror = () => reject(cursor.error);
    cursor.onsuccess = () => {
      const at = cursor.result;
      if (at === null) return resolve();
      const segment: Segment = at.value;
      if (segment.first <= to) found.push(segment);
      if (found.length === count) resolve();
      else at.continue();
    };
  });
  return found;
}
