import { FailureError } from '../core/errors.ts';
import type { EventMeta, RecordedEvent } from '../core/events.ts';
import type { CommitHead } from '../protocol/commit-digest.ts';
import { bytesToHex, hexToBytes } from '../protocol/hex.ts';
import { unreadable } from './storage-error.ts';

/**
 * One stored value: a run of whole commits, or a piece of a long one, in columns.
 *
 * An append adds a short segment; sealing (`seal.ts`) puts one full segment in the place of many short ones. Names stand
 * in dictionaries, everything else in one array per field; positions follow from `first`, and revisions from the first
 * one of each stream, because a segment has every event between its ends.
 */
export interface Segment {
  /** Positions of its first and its last event. */
  readonly first: number;
  readonly last: number;
  /** Order hash before its first commit and after its last one, 32 bytes. */
  readonly before: Uint8Array;
  readonly after: Uint8Array;

  /** One per line: no name holds a control character. One text is read faster than a list of some hundred. */
  readonly streams: string;
  /** Per stream: the revision of its first event in this segment. */
  readonly firstRevisions: Uint32Array;
  readonly types: readonly string[];
  /** Per type. A type with two versions stands in the dictionary twice. */
  readonly versions: readonly number[];
  /** Per event: places in the dictionaries. */
  readonly streamOf: Uint16Array;
  readonly typeOf: Uint16Array;
  readonly tags?: readonly string[];
  readonly tagsOf?: readonly (readonly number[])[];
  /**
   * UTF-8 of the payloads' canonical JSON, with a comma and a line break between two: canonical JSON holds no line
   * break, so one is found without parsing the others, and in brackets all are one list. Bytes, for a text with a
   * single letter beyond Latin-1 would be stored at two bytes a letter.
   */
  readonly payloads: Uint8Array<ArrayBuffer>;

  /** Per commit: 16 bytes each where all ids are 128 bits in hexadecimal, as ours are. */
  readonly commandIds: Uint8Array | readonly string[];
  /** Number of events; absent where every commit has one, and in a piece. */
  readonly counts?: Uint16Array;
  /** Null where it is the command id; absent where it is for all. */
  readonly correlationIds?: readonly (string | null)[];
  readonly causationIds?: readonly (string | null)[];
  /** Milliseconds since 1970 of the first commit, and what each is after it; absent where all are the same. */
  readonly recordedAt: number;
  readonly recordedAfter?: Int32Array | Float64Array;
  readonly clients: readonly string[];
  /** Place in `clients`; absent where there is one. */
  readonly clientOf?: Uint16Array;
  /** Running number of each commit within its client; absent where they follow the first without a gap. */
  readonly clientSeqs?: Float64Array;
  /** Per client: running number of its first commit here, and the digest of its commit before that one. */
  readonly firstSeqs: readonly number[];
  readonly prevs: readonly Uint8Array[];
  /** The first four bytes of each commit's order hash: where the chain breaks, they tell at which commit. */
  readonly marks: Uint32Array;
  /** Of a piece of a long commit: how many of its events stand in segments before, and how many it has. */
  readonly piece?: { readonly offset: number; readonly total: number };
}

/** A commit between the log and its segments: payloads as canonical text, not parsed. */
export interface PackedCommit {
  readonly head: CommitHead;
  readonly events: readonly PackedEvent[];
  readonly payloads: readonly string[];
  /** Digest of the author's commit before. */
  readonly prev: Uint8Array;
  readonly mark: number;
}

export type PackedEvent = Pick<RecordedEvent, 'stream' | 'revision' | 'type' | 'version' | 'tags'>;

/** The first four bytes of an order hash. */
export function orderMark(order: Uint8Array): number {
  let mark = 0;
  for (let at = 0; at < 4; at += 1) mark = (mark << 8) | (order[at] ?? 0);
  return mark >>> 0;
}

/** Packs whole commits, or one piece of a commit, into a segment. `before` and `after` are the order hashes around them. */
export function packSegment(
  first: number,
  commits: readonly PackedCommit[],
  before: Uint8Array,
  after: Uint8Array,
  piece?: Segment['piece'],
): Segment {
  const streams = createDictionary<string>();
  const types = createDictionary<string>();
  const clients = createDictionary<string>();
  const tags = createDictionary<string>();
  const firstRevisions: number[] = [];
  const typeNames: string[] = [];
  const versions: number[] = [];
  const firstSeqs: number[] = [];
  const prevs: Uint8Array[] = [];
  const streamOf: number[] = [];
  const typeOf: number[] = [];
  const tagsOf: number[][] = [];
  const payloads: string[] = [];
  for (const commit of commits) {
    if (clients.place(commit.head.client) === firstSeqs.length) {
      firstSeqs.push(commit.head.clientSeq);
      prevs.push(commit.prev);
    }
    for (const event of commit.events) {
      const stream = streams.place(event.stream);
      if (stream === firstRevisions.length) firstRevisions.push(event.revision);
      streamOf.push(stream);
      const type = types.place(`${event.type}@${event.version}`);
      if (type === typeNames.length) {
        typeNames.push(event.type);
        versions.push(event.version);
      }
      typeOf.push(type);
      tagsOf.push((event.tags ?? []).map(tags.place));
    }
    for (const payload of commit.payloads) payloads.push(payload);
  }
  const heads = commits.map(({ head }) => head);
  const recordedAt = heads[0]?.recordedAt ?? 0;
  return {
    first,
    last: first + streamOf.length - 1,
    before,
    after,
    streams: streams.list.join('\n'),
    firstRevisions: Uint32Array.from(firstRevisions),
    types: typeNames,
    versions,
    streamOf: Uint16Array.from(streamOf),
    typeOf: Uint16Array.from(typeOf),
    ...(tags.list.length === 0 ? {} : { tags: tags.list, tagsOf }),
    payloads: encoder.encode(payloads.join(',\n')),
    commandIds: packIds(heads.map(({ commandId }) => commandId)),
    ...(piece !== undefined || commits.every(({ events }) => events.length === 1)
      ? {}
      : { counts: Uint16Array.from(commits, ({ events }) => events.length) }),
    ...sparse('correlationIds', heads, ({ correlationId, commandId }) =>
      correlationId === commandId ? null : correlationId,
    ),
    ...sparse('causationIds', heads, ({ causationId }) => causationId ?? null),
    recordedAt,
    ...packTimes(heads.map((head) => head.recordedAt - recordedAt)),
    clients: clients.list,
    ...(clients.list.length === 1 ? {} : { clientOf: Uint16Array.from(heads, ({ client }) => clients.place(client)) }),
    ...packSeqs(heads),
    firstSeqs,
    prevs,
    marks: Uint32Array.from(commits, ({ mark }) => mark),
    ...(piece === undefined ? {} : { piece }),
  };
}

/** The commits of a segment as they were packed. */
export function unpackSegment(segment: Segment): readonly PackedCommit[] {
  const payloads = readPayloads(segment);
  const streams = segmentStreams(segment);
  const revisionOf = readRevisions(segment, segment.streamOf.length);
  const nextSeqs = [...segment.firstSeqs];
  const commits: PackedCommit[] = [];
  let start = 0;
  for (const [index, head] of readHeads(segment, nextSeqs).entries()) {
    const end = start + countOf(segment, index);
    const events: PackedEvent[] = [];
    for (let at = start; at < end; at += 1) {
      const tags = readTags(segment, at);
      const type = segment.typeOf[at] ?? 0;
      events.push({
        stream: streams[segment.streamOf[at] ?? 0] ?? '',
        revision: revisionOf(at),
        type: segment.types[type] ?? '',
        version: segment.versions[type] ?? 0,
        ...(tags === undefined ? {} : { tags }),
      });
    }
    const client = segment.clientOf?.[index] ?? 0;
    commits.push({
      head,
      events,
      payloads: payloads.slice(start, end),
      // Of the first commit of its client; the digest of the others follows from the one before.
      prev: segment.prevs[client] ?? new Uint8Array(32),
      mark: segment.marks[index] ?? 0,
    });
    start = end;
  }
  return commits;
}

/** Up to so many events of a segment are picked one by one; for more, its columns are read as a whole. */
export const fewEvents = 8;

export function segmentStreams({ streams }: Segment): readonly string[] {
  return streams.split('\n');
}

export function segmentCommandIds(segment: Segment): readonly string[] {
  const idOf = readIds(segment.commandIds, true);
  return Array.from({ length: commitCount(segment) }, (_, commit) => idOf(commit));
}

export function commitCount({ commandIds }: Segment): number {
  return commandIds instanceof Uint8Array ? commandIds.length / 16 : commandIds.length;
}

/** The canonical JSON of each payload. */
export function readPayloads(segment: Segment): readonly string[] {
  return decodePayloads(segment, segment.payloads).split(',\n');
}

/** The last revision of a stream in a segment; undefined where it has none of its events. */
export function lastRevisionIn(segment: Segment, stream: string): number | undefined {
  const { firstRevisions, streamOf } = segment;
  const place = placeOfStream(segment, stream);
  if (place === -1) return undefined;
  let count = 0;
  for (let at = 0; at < streamOf.length; at += 1) if (streamOf[at] === place) count += 1;
  return (firstRevisions[place] ?? 0) + count - 1;
}

/** The last revision of every stream of a segment. */
export function lastRevisions(segment: Segment): readonly (readonly [string, number])[] {
  const next = [...segment.firstRevisions];
  for (const place of segment.streamOf) next[place] = (next[place] ?? 0) + 1;
  return segmentStreams(segment).map((stream, place) => [stream, (next[place] ?? 0) - 1]);
}

/** The revisions of some events of a segment. */
export function readRevisions({ firstRevisions, streamOf }: Segment, count: number): (at: number) => number {
  if (count <= fewEvents) {
    return (at) => {
      const stream = streamOf[at] ?? 0;
      let revision = firstRevisions[stream] ?? 0;
      for (let before = 0; before < at; before += 1) if (streamOf[before] === stream) revision += 1;
      return revision;
    };
  }
  const next = Float64Array.from(firstRevisions);
  const revisions = new Float64Array(streamOf.length);
  for (let at = 0; at < streamOf.length; at += 1) {
    const stream = streamOf[at] ?? 0;
    const revision = next[stream] ?? 0;
    revisions[at] = revision;
    next[stream] = revision + 1;
  }
  return (at) => revisions[at] ?? 0;
}

/** Found in the text: to make a list of all names takes as long as to read the segment. */
export function placeOfStream(segment: Segment, stream: string): number {
  const streams = `\n${segment.streams}\n`;
  const found = streams.indexOf(`\n${stream}\n`);
  if (found === -1) return -1;
  let place = 0;
  for (let at = streams.indexOf('\n', 1); at <= found && at !== -1; at = streams.indexOf('\n', at + 1)) place += 1;
  return place;
}

/** Throws `FailureError` where they are not what was written. */
export function decodePayloads(segment: Segment, bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new FailureError(unreadable(segment.first, segment.last));
  }
}

export function countOf({ counts, streamOf, piece }: Segment, commit: number): number {
  return piece === undefined ? (counts?.[commit] ?? 1) : streamOf.length;
}

export function readTags({ tags, tagsOf }: Segment, at: number): readonly string[] | undefined {
  const places = tagsOf?.[at];
  if (places === undefined || places.length === 0) return undefined;
  return places.map((place) => tags?.[place] ?? '');
}

export function readMeta(segment: Segment, commit: number, commandId: string): EventMeta {
  const correlationId = segment.correlationIds?.[commit] ?? commandId;
  const causationId = segment.causationIds?.[commit] ?? undefined;
  const recordedAt = segment.recordedAt + (segment.recordedAfter?.[commit] ?? 0);
  return causationId === undefined
    ? { commandId, correlationId, recordedAt }
    : { commandId, correlationId, causationId, recordedAt };
}

function readHeads(segment: Segment, nextSeqs: number[]): readonly CommitHead[] {
  return segmentCommandIds(segment).map((commandId, commit): CommitHead => {
    const client = segment.clientOf?.[commit] ?? 0;
    const clientSeq = segment.clientSeqs?.[commit] ?? nextSeqs[client] ?? 0;
    nextSeqs[client] = clientSeq + 1;
    return { ...readMeta(segment, commit, commandId), client: segment.clients[client] ?? '', clientSeq };
  });
}

const hexId = /^[0-9a-f]{32}$/;

function packIds(ids: readonly string[]): Uint8Array | readonly string[] {
  return ids.every((id) => hexId.test(id)) ? hexToBytes(ids.join('')) : ids;
}

/** The command id of a commit; for `many`, all are written out at once, which takes a tenth of one by one. */
export function readIds(ids: Segment['commandIds'], many: boolean): (commit: number) => string {
  if (!(ids instanceof Uint8Array)) return (commit) => ids[commit] ?? '';
  if (!many) return (commit) => bytesToHex(ids.subarray(16 * commit, 16 * commit + 16));
  const text = bytesToHex(ids);
  return (commit) => text.slice(32 * commit, 32 * commit + 32);
}

function packTimes(after: readonly number[]): { recordedAfter?: Int32Array | Float64Array } {
  if (after.every((time) => time === 0)) return {};
  // Within ± 24 days of the first; a clock that jumped further gets the wider column.
  const fits = after.every((time) => time === (time | 0));
  return { recordedAfter: fits ? Int32Array.from(after) : Float64Array.from(after) };
}

function packSeqs(heads: readonly CommitHead[]): { clientSeqs?: Float64Array } {
  const nextByClient = new Map<string, number>();
  const dense = heads.every(({ client, clientSeq }) => {
    const next = nextByClient.get(client) ?? clientSeq;
    nextByClient.set(client, clientSeq + 1);
    return next === clientSeq;
  });
  return dense ? {} : { clientSeqs: Float64Array.from(heads, ({ clientSeq }) => clientSeq) };
}

function sparse<Name extends string>(
  name: Name,
  heads: readonly CommitHead[],
  read: (head: CommitHead) => string | null,
): { readonly [key in Name]?: readonly (string | null)[] } {
  const values = heads.map(read);
  // One computed key: TypeScript widens it to an index signature.
  return values.every((value) => value === null) ? {} : ({ [name]: values } as { [key in Name]: typeof values });
}

function createDictionary<Value>() {
  const list: Value[] = [];
  const placeByValue = new Map<Value, number>();
  return {
    list,
    place: (value: Value): number => {
      const known = placeByValue.get(value);
      if (known !== undefined) return known;
      const place = list.push(value) - 1;
      placeByValue.set(value, place);
      return place;
    },
  };
}

const encoder = new TextEncoder();
/** Two byte sequences never read as one text: what is not UTF-8 is refused, and no mark at the start is passed over. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
