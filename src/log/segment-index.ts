import type { EventFilter, EventQuery } from '../core/event-query.ts';
import { type Segment, segmentCommandIds, segmentStreams } from './segment.ts';

/**
 * Which segments may hold a stream, a tag, a type or a command: the sorted 32-bit hashes of all such terms of a run of
 * sealed segments, six bytes for each term of each segment. An index row per event would bring back what it costs to
 * write rows. Workers keep the blocks in memory, so that a command id that was never seen costs no read.
 */
export interface IndexBlock {
  /** First position of its first segment and last of its last. */
  readonly first: number;
  readonly last: number;
  /** Ascending. */
  readonly hashes: Uint32Array;
  /** Beside each hash: the place in `segments` of a segment with that term, ascending for the same hash. */
  readonly places: Uint16Array;
  /** The last position of each segment: its key. */
  readonly segments: readonly number[];
}

/** A block that has fewer entries is extended by the next sealing: about 36 kB, inline in Chromium. */
export const fullBlockEntries = 6_000;

export const streamTerm = (stream: string): number => hashTerm(`s${stream}`);
export const commandTerm = (commandId: string): number => hashTerm(`c${commandId}`);
const tagTerm = (tag: string): number => hashTerm(`t${tag}`);
const typeTerm = (type: string): number => hashTerm(`e${type}`);

/** Every term of a segment, each once. */
export function segmentTerms(segment: Segment, commandIds: readonly string[]): ReadonlySet<number> {
  const terms = new Set<number>();
  for (const stream of segmentStreams(segment)) terms.add(streamTerm(stream));
  for (const type of segment.types) terms.add(typeTerm(type));
  for (const tag of segment.tags ?? []) terms.add(tagTerm(tag));
  for (const commandId of commandIds) terms.add(commandTerm(commandId));
  return terms;
}

export function indexSegment(segment: Segment): IndexedSegment {
  const { first, last } = segment;
  return { first, last, terms: segmentTerms(segment, segmentCommandIds(segment)) };
}

/** What a block is built from: a segment's ends and its terms. */
export interface IndexedSegment {
  readonly first: number;
  readonly last: number;
  readonly terms: ReadonlySet<number>;
}

/** The block of some segments that follow each other. */
export function toBlock(segments: readonly IndexedSegment[]): IndexBlock {
  return joinBlock(undefined, segments);
}

/** Adds segments to the end of a block that has room, and makes new blocks for the rest. */
export function extendBlocks(start: IndexBlock | undefined, segments: readonly IndexedSegment[]): IndexBlock[] {
  const blocks: IndexBlock[] = [];
  let base = start;
  let run: IndexedSegment[] = [];
  let entries = start?.hashes.length ?? 0;
  for (const segment of segments) {
    if (entries > 0 && entries + segment.terms.size > fullBlockEntries) {
      blocks.push(joinBlock(base, run));
      base = undefined;
      run = [];
      entries = 0;
    }
    run.push(segment);
    entries += segment.terms.size;
  }
  blocks.push(joinBlock(base, run));
  return blocks;
}

function joinBlock(base: IndexBlock | undefined, segments: readonly IndexedSegment[]): IndexBlock {
  const lasts = [...(base?.segments ?? []), ...segments.map(({ last }) => last)];
  const offset = base?.segments.length ?? 0;
  // Hash and place in one number, 32 + 16 bits: sorting these sorts both.
  const pairs: number[] = [];
  for (let at = 0; at < (base?.hashes.length ?? 0); at += 1) {
    pairs.push((base?.hashes[at] ?? 0) * 65_536 + (base?.places[at] ?? 0));
  }
  for (const [index, { terms }] of segments.entries()) {
    for (const term of terms) pairs.push(term * 65_536 + offset + index);
  }
  const sorted = Float64Array.from(pairs).sort();
  return {
    first: base?.first ?? segments[0]?.first ?? 0,
    last: lasts.at(-1) ?? 0,
    hashes: Uint32Array.from(sorted, (pair) => Math.floor(pair / 65_536)),
    places: Uint16Array.from(sorted, (pair) => pair % 65_536),
    segments: lasts,
  };
}

/** Keys of the segments that may hold a term, newest first, as far as somebody asks. */
export function* findNewestSegments(blocks: readonly IndexBlock[], term: number): Generator<number> {
  for (let block = blocks.length - 1; block >= 0; block -= 1) {
    const { hashes, places, segments } = blocks[block] as IndexBlock;
    for (let at = lowerBound(hashes, term + 1) - 1; hashes[at] === term; at -= 1) {
      const last = segments[places[at] ?? 0];
      if (last !== undefined) yield last;
    }
  }
}

/**
 * What a segment must hold to have a match: any of the lists, all terms of a list. Undefined where the query names
 * nothing that is indexed, so that every segment must be looked at.
 */
export function queryTerms(query: EventQuery): readonly (readonly number[])[] | undefined {
  const own = filterTerms(query);
  if (own !== undefined || query.anyOf === undefined) return own;
  const lists = query.anyOf.map(filterTerms);
  return lists.some((list) => list === undefined) ? undefined : lists.flatMap((list) => list ?? []);
}

function filterTerms({ stream, types, tags = [] }: EventFilter): readonly (readonly number[])[] | undefined {
  const all = [...(stream === undefined ? [] : [streamTerm(stream)]), ...tags.map(tagTerm)];
  if (all.length > 0) return [all];
  return types?.map((type) => [typeTerm(type)]);
}

/** FNV-1a over UTF-16 code units, then the finaliser of MurmurHash3, so that similar names spread. */
export function hashTerm(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function lowerBound(hashes: Uint32Array, term: number): number {
  let low = 0;
  let high = hashes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((hashes[middle] ?? 0) < term) low = middle + 1;
    else high = middle;
  }
  return low;
}
