import { FailureError } from '../core/errors.ts';
import { requestResult } from './idb.ts';
import { forkSince } from './log-order.ts';
import { keysFrom, type LogRecord, rebasesOf } from './log-record.ts';
import { lastRevisionIn, lastRevisions, type Segment, segmentCommandIds } from './segment.ts';
import {
  extendBlocks,
  findNewestSegments,
  type IndexBlock,
  type IndexedSegment,
  indexSegment,
  segmentTerms,
  streamTerm,
} from './segment-index.ts';
import { missing } from './storage-error.ts';
import { createTermFilter, type TermFilter } from './term-filter.ts';

/**
 * What one worker keeps of a log in memory: the tail (segments that are not sealed yet) and the index of the rest. It
 * is brought up to date inside each transaction that uses it, from what other tabs have added since; it holds committed
 * data only, so an abort leaves it as it was.
 */
export interface LogView {
  /** Reads what is new. `stores` are of a transaction over `segments` and `index`. */
  refresh(record: LogRecord, stores: ViewStores): Promise<void>;
  /** Takes segments that this worker has just committed. */
  add(segments: readonly Segment[]): void;
  /** A view for a transaction that changes what is sealed or in the tail: to be refreshed in it, and dropped with it. */
  branch(): LogView;
  /** Revision of each stream, in the order asked; −1 where it has no event. */
  revisions(streams: readonly string[], stores: ViewStores): Promise<readonly number[]>;
  /** Segments that may hold all terms of one of the lists, oldest first: as they are in memory, or by key. */
  find(lists: readonly (readonly number[])[], stores: ViewStores): Promise<readonly (Segment | number)[]>;
  /** The newest segments that may hold a term, newest first, as far as somebody asks. */
  findNewest(term: number, stores: ViewStores): Promise<Iterator<Segment | number>>;
  /** Reads those that are not in memory. */
  load(found: readonly (Segment | number)[], stores: ViewStores): Promise<readonly Segment[]>;
}

export interface ViewStores {
  readonly segments: IDBObjectStore;
  readonly index: IDBObjectStore;
  /** Where what is kept beside the log is: of a transaction that writes. */
  readonly pending?: IDBObjectStore;
}

/** Position of the last event of a segment that was found. */
export function endOf(found: Segment | number): number {
  return typeof found === 'number' ? found : found.last;
}

/** Most revisions that are remembered of what is sealed: some megabytes. */
const maxRevisions = 100_000;

/** Segments that are read at a time where all are. */
const pageSegments = 40;

/** Sealed segments that are kept after they were read, 7 MB at most: whoever writes mostly needs the newest. */
const maxKept = 128;

interface SealedView {
  readonly generation: number;
  readonly rebases: number;
  readonly sealed: number;
  readonly blocks: IndexBlock[] | undefined;
  readonly filter: TermFilter | undefined;
  readonly kept: ReadonlyMap<number, Segment>;
}

const nothing: SealedView = {
  generation: 0,
  rebases: 0,
  sealed: 0,
  blocks: undefined,
  filter: undefined,
  kept: new Map(),
};

export function createLogView(start: SealedView = nothing): LogView {
  let { generation, rebases, sealed } = start;
  let head = sealed;
  let tail: Segment[] = [];
  /** Which tail segments hold a term, by their last position. */
  let tailByTerm = new Map<number, number[]>();
  let tailByLast = new Map<number, Segment>();
  let revisionByStream = new Map<string, number>();
  /** Undefined until somebody asks for what is sealed. */
  let { blocks, filter } = start;
  /** Sealed segments by their last position, those used last at the end. They never change. */
  let kept = new Map(start.kept);

  function forget(newGeneration: number): void {
    generation = newGeneration;
    head = 0;
    sealed = 0;
    tail = [];
    tailByTerm = new Map();
    tailByLast = new Map();
    revisionByStream = new Map();
    blocks = undefined;
    filter = undefined;
    kept = new Map();
  }

  function addToTail(segment: Segment): void {
    tail.push(segment);
    tailByLast.set(segment.last, segment);
    for (const term of segmentTerms(segment, segmentCommandIds(segment))) {
      const lasts = tailByTerm.get(term);
      if (lasts === undefined) tailByTerm.set(term, [segment.last]);
      else lasts.push(segment.last);
    }
    head = segment.last;
  }

  function noteRevisions(segment: Segment): void {
    for (const [stream, revision] of lastRevisions(segment)) revisionByStream.set(stream, revision);
  }

  function add(segments: readonly Segment[]): void {
    for (const segment of segments) {
      if (segment.first !== head + 1) continue;
      addToTail(segment);
      noteRevisions(segment);
    }
  }

  /** Sealed up to there, by this tab or another: those segments are found by the index from now on. */
  function moveSealed(to: number): void {
    const rest = tail.filter(({ first }) => first > to);
    tail = [];
    tailByTerm = new Map();
    tailByLast = new Map();
    // What was sealed before this worker had seen it may have moved any stream.
    if (to > head) revisionByStream = new Map();
    head = Math.max(head, to);
    for (const segment of rest) addToTail(segment);
    sealed = to;
    if (revisionByStream.size <= maxRevisions) return;
    revisionByStream = new Map();
    // Nothing else finds those of the tail.
    for (const segment of tail) noteRevisions(segment);
  }

  /** What stands after a position may be other than it was: it is read again. */
  function rewind(fork: number): void {
    if (fork >= head) return;
    if (fork < sealed) {
      // A block that reaches beyond the fork went with it; the filter only knows too much now.
      blocks = blocks?.filter(({ last }) => last <= fork);
      sealed = blocks?.at(-1)?.last ?? 0;
      for (const last of kept.keys()) if (last > sealed) kept.delete(last);
    }
    const rest = tail.filter(({ first, last }) => first > sealed && last <= fork);
    tail = [];
    tailByTerm = new Map();
    tailByLast = new Map();
    revisionByStream = new Map();
    head = sealed;
    add(rest);
  }

  async function readBlocks({ segments, index }: ViewStores): Promise<IndexBlock[]> {
    // The newest block may have been extended meanwhile: it is read again with those after it.
    const known = blocks?.slice(0, -1) ?? [];
    const fresh: IndexBlock[] = await requestResult(
      index.getAll(keysFrom(generation, known.at(-1)?.last ?? 0, sealed)),
    );
    const found = [...known, ...fresh.filter(({ first }) => first > (known.at(-1)?.last ?? 0))];
    const isFound = isWhole(found);
    blocks = isFound ? found : await makeBlocks(segments);
    if (!isFound || filter?.add(fresh) !== true) filter = createTermFilter(blocks);
    return blocks;
  }

  function isWhole(found: readonly IndexBlock[]): boolean {
    let end = 0;
    for (const { first, last } of found) {
      if (first !== end + 1) return false;
      end = last;
    }
    return end === sealed;
  }

  /** The index says nothing that the segments do not: where some of it was lost, this worker makes it again. */
  async function makeBlocks(segments: IDBObjectStore): Promise<IndexBlock[]> {
    const indexed: IndexedSegment[] = [];
    for (let end = 0; end < sealed; ) {
      const page = await requestResult<Segment[]>(segments.getAll(keysFrom(generation, end + 1, sealed), pageSegments));
      if (page.length === 0) throw new FailureError(missing(end + 1, head));
      for (const segment of page) {
        if (segment.first !== end + 1) throw new FailureError(missing(end + 1, head));
        indexed.push(indexSegment(segment));
        end = segment.last;
      }
    }
    return extendBlocks(undefined, indexed);
  }

  async function requireBlocks(stores: ViewStores): Promise<readonly IndexBlock[]> {
    if (sealed === 0) return [];
    return blocks !== undefined && (blocks.at(-1)?.last ?? 0) === sealed ? blocks : readBlocks(stores);
  }

  /** Keys of the sealed segments that may hold a term, newest first, as far as somebody asks. */
  function* findSealed(sealedBlocks: readonly IndexBlock[], term: number): Generator<number> {
    if (filter?.mayHold(term) === true) yield* findNewestSegments(sealedBlocks, term);
  }

  async function load(found: readonly (Segment | number)[], { segments }: ViewStores): Promise<readonly Segment[]> {
    const loaded = await Promise.all(
      found.map((each) => {
        if (typeof each !== 'number') return each;
        return kept.get(each) ?? requestResult<Segment | undefined>(segments.get([generation, each]));
      }),
    );
    return loaded.map((segment, index) => {
      if (segment === undefined) throw new FailureError(missing(Number(found[index]), head));
      if (typeof found[index] === 'number') keep(segment);
      return segment;
    });
  }

  function keep(segment: Segment): void {
    kept.delete(segment.last);
    kept.set(segment.last, segment);
    if (kept.size <= maxKept) return;
    for (const oldest of kept.keys()) return void kept.delete(oldest);
  }

  async function revisions(streams: readonly string[], stores: ViewStores): Promise<readonly number[]> {
    const unknown = [...new Set(streams)].filter((stream) => !revisionByStream.has(stream));
    const found = new Map<string, number>();
    if (unknown.length > 0) {
      const sealedBlocks = await requireBlocks(stores);
      let open = unknown.map((stream) => ({ stream, lasts: findSealed(sealedBlocks, streamTerm(stream)) }));
      while (open.length > 0) {
        const tries = open.flatMap(({ stream, lasts }) => {
          const { value: last, done } = lasts.next();
          return done ? [] : [{ stream, lasts, last }];
        });
        // Streams that are looked up together mostly share their newest segments.
        const newest = [...new Set(tries.map(({ last }) => last))];
        const segments = new Map((await load(newest, stores)).map((segment) => [segment.last, segment]));
        open = tries.filter(({ stream, last }) => {
          const segment = segments.get(last);
          const revision = segment && lastRevisionIn(segment, stream);
          if (revision !== undefined) found.set(stream, revision);
          // A term is a hash: the newest segment that has it may hold another stream of the same hash.
          return revision === undefined;
        });
      }
      for (const [stream, revision] of found) revisionByStream.set(stream, revision);
    }
    return streams.map((stream) => revisionByStream.get(stream) ?? -1);
  }

  return {
    revisions,
    add,
    load,
    branch: () => createLogView({ generation, rebases, sealed, blocks, filter, kept }),
    refresh: async (record, stores) => {
      const { sync } = record;
      if (record.generation !== generation) forget(record.generation);
      else if (sync !== undefined && sync.rebases !== rebases) rewind(forkSince(sync, rebases));
      rebases = rebasesOf(record);
      // Taken out of the index, by a rebase that cut through what had been sealed since.
      if (record.sealed < sealed) forget(generation);
      if (record.sealed !== sealed) moveSealed(record.sealed);
      if (record.head === head) return;
      add(await requestResult<Segment[]>(stores.segments.getAll(keysFrom(generation, head + 1))));
      if (head !== record.head) throw new FailureError(missing(head + 1, record.head));
    },
    findNewest: async (term, stores) => {
      const sealedBlocks = await requireBlocks(stores);
      const inTail = (tailByTerm.get(term) ?? []).flatMap((last) => tailByLast.get(last) ?? []).reverse();
      return (function* () {
        yield* inTail;
        yield* findSealed(sealedBlocks, term);
      })();
    },
    find: async (lists, stores) => {
      const sealedBlocks = await requireBlocks(stores);
      const lasts = new Set<number>();
      for (const list of lists) {
        const [first = [], ...others] = list.map((term) => [
          ...findSealed(sealedBlocks, term),
          ...(tailByTerm.get(term) ?? []),
        ]);
        const sets = others.map((each) => new Set(each));
        for (const last of first) if (sets.every((set) => set.has(last))) lasts.add(last);
      }
      return [...lasts].sort((a, b) => a - b).map((last) => tailByLast.get(last) ?? last);
    },
  };
}
