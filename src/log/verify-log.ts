import { type ChainEnd, chainStart, linkCommit } from '../protocol/commit-digest.ts';
import { bytesToHex } from '../protocol/hex.ts';
import type { SyncBase } from '../protocol/sync-messages.ts';
import type { Verification, VerifyOptions } from './event-log.ts';
import { forkSince } from './log-order.ts';
import { type LogRecord, plainFormat, rebasesOf, syncedFormat } from './log-record.ts';
import { orderMark, readPayloads, type Segment, segmentCommandIds, segmentStreams, unpackSegment } from './segment.ts';
import { type IndexBlock, type IndexedSegment, indexSegment, toBlock } from './segment-index.ts';
import { createAssembler } from './stored-commits.ts';
import type { WholeCommit } from './whole-commits.ts';

/** A part of the log, read in one transaction: sealed segments, or the whole tail with the record it ends at. */
export interface LogPart {
  readonly record: LogRecord;
  readonly segments: readonly Segment[];
  /** The position in each segment's key. */
  readonly keys: readonly number[];
  /** Blocks of the index that begin in this part. */
  readonly blocks: readonly IndexBlock[];
  readonly isTail: boolean;
}

/** The first thing that is not as it was written. */
class Broken extends Error {
  readonly position: number;

  constructor(position: number, what: string) {
    super(what);
    this.position = position;
  }
}

/** Checks everything that is stored, part by part; between two parts other work gets its turn. */
export async function verifyLog(
  readPart: (from: number) => Promise<LogPart>,
  { onProgress, signal }: VerifyOptions = {},
): Promise<Verification> {
  let check = createCheck();
  let known: number | undefined;
  try {
    for (;;) {
      signal?.throwIfAborted();
      let part = await readPart(check.next);
      const { sync } = part.record;
      known ??= rebasesOf(part.record);
      if (sync !== undefined && sync.rebases !== known) {
        const fork = forkSince(sync, known);
        known = sync.rebases;
        if (fork < check.next - 1) {
          // What was checked is not what is there now.
          check = createCheck();
          part = await readPart(check.next);
          if (rebasesOf(part.record) !== known) continue;
        } else check.forgetIndex();
      }
      check.take(part);
      onProgress?.({ done: check.next - 1, total: Math.max(part.record.head, check.next - 1) });
      if (part.isTail) return { status: 'verified', events: check.next - 1 };
    }
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    const text = `The log is not as it was written, from position ${error.position} on: ${error.message}. Something other than this app changed the database, or the disk is damaged. Events before that position are intact: export them, and restore a backup.`;
    return { status: 'broken', position: error.position, text };
  }
}

function createCheck() {
  const assemble = createAssembler();
  const nextRevisions = new Map<string, number>();
  /** Of each client, its last commit; and the one of the highest number, which another may stand behind. */
  const ends = new Map<string, Uint8Array>();
  const highest = new Map<string, { readonly digest: Uint8Array; readonly clientSeq: number }>();
  let order = chainStart.order;
  /** Position of the next segment, and of the next commit: a long commit has several segments. */
  let next = 1;
  let block: IndexBlock | undefined;
  let indexed: IndexedSegment[] = [];
  /** Of the block before this one: a sealing between two parts may put a longer block in its place. */
  let indexedBefore: IndexedSegment[] = [];
  /** A rebase may have dropped the block that was being read: the next one that begins is compared again. */
  let isBetweenBlocks = false;
  /** What is confirmed, as the part at hand says. Where it moves on past what was checked, the next look finds it. */
  let base: SyncBase | undefined;
  /** Of a long commit that is not whole yet: where it starts, and what all its pieces say. */
  let firstPiece: { readonly start: number; readonly whole: string } | undefined;

  function takeCommit(commit: WholeCommit, logId: string): void {
    const { head, events, payloads, first, last } = commit;
    const digest = ends.get(head.client) ?? chainStart.digest;
    const end: ChainEnd = linkCommit(
      logId,
      head,
      events.map((event) => ({ ...event, position: last })),
      payloads,
      { digest, order },
    );
    if (orderMark(end.order) !== commit.mark) throw new Broken(first, 'a commit does not match its link');
    if (commit.ends && !isSame(end.order, commit.after)) throw new Broken(first, 'the order hash of a segment differs');
    for (const { stream, revision } of events) {
      if (revision !== (nextRevisions.get(stream) ?? 0)) throw new Broken(first, `a revision of "${stream}" differs`);
      nextRevisions.set(stream, revision + 1);
    }
    order = end.order;
    if (base !== undefined && first <= base.g && base.g <= last) requireBase(base, first, last);
    ends.set(head.client, end.digest);
    if (head.clientSeq > (highest.get(head.client)?.clientSeq ?? 0)) {
      highest.set(head.client, { digest: end.digest, clientSeq: head.clientSeq });
    }
  }

  function requireBase({ g, oh }: SyncBase, first: number, last: number): void {
    if (g !== last || oh !== bytesToHex(order)) throw new Broken(first, 'what is confirmed ends in another place');
  }

  /** Every piece repeats what is of the whole commit. */
  function checkPiece(segment: Segment): void {
    const { piece, after } = segment;
    const [part] = piece === undefined ? [] : unpackSegment(segment);
    const length = (firstPiece === undefined ? 0 : next - firstPiece.start) + segment.streamOf.length;
    if (piece === undefined || part === undefined) {
      if (firstPiece !== undefined) throw new Broken(firstPiece.start, 'a commit is not whole');
      return;
    }
    const whole = JSON.stringify([part.head, part.mark, piece.total, [...after]]);
    firstPiece ??= { start: next, whole };
    if (piece.offset !== next - firstPiece.start || whole !== firstPiece.whole || length > piece.total) {
      throw new Broken(firstPiece.start, 'a piece of a long commit differs from its first');
    }
    if (length === piece.total) firstPiece = undefined;
  }

  function takeSegment(segment: Segment, key: number, { logId, sync, isBranched }: LogRecord): void {
    const length = segment.streamOf.length;
    if (segment.first !== next || segment.last !== next + length - 1 || key !== segment.last) {
      throw new Broken(next, 'events are missing or stand in another place');
    }
    if (!isSame(segment.before, order)) throw new Broken(next, 'a segment does not follow the one before');
    for (const [index, client] of segment.clients.entries()) {
      const prev = segment.prevs[index];
      if (isSame(prev, ends.get(client) ?? chainStart.digest)) continue;
      // With sync, authors’ commits come back in other orders; what this one says it follows is covered by its hash.
      const mayDiffer = sync !== undefined || isBranched === true;
      if (!mayDiffer || prev === undefined) throw new Broken(next, 'a commit does not follow its author’s last');
      ends.set(client, prev);
    }
    checkPiece(segment);
    for (const commit of assemble(segment)) takeCommit(commit, logId);
    checkColumns(segment);
    next = segment.last + 1;
  }

  function takeIndexed(segment: Segment, record: LogRecord, blocks: readonly IndexBlock[]): void {
    if (segment.last > record.sealed) return;
    block ??= blocks.find(({ first }) => first === segment.first);
    if (block === undefined) {
      block = blocks.find(({ first }) => first === indexedBefore[0]?.first);
      indexed = indexedBefore;
    }
    if (block === undefined) {
      if (isBetweenBlocks) return;
      throw new Broken(segment.first, 'the index has no entry for it');
    }
    isBetweenBlocks = false;
    indexed.push(indexSegment(segment));
    if (segment.last < block.last) return;
    if (!isSameBlock(block, toBlock(indexed))) throw new Broken(block.first, 'the index differs from what it is of');
    block = undefined;
    indexedBefore = indexed;
    indexed = [];
  }

  return {
    get next() {
      return next;
    },
    forgetIndex: () => {
      block = undefined;
      indexed = [];
      indexedBefore = [];
      isBetweenBlocks = true;
    },
    take: ({ record, segments, keys, blocks, isTail }: LogPart) => {
      base = record.sync?.base;
      if (base !== undefined && next === 1 && base.g === 0) requireBase(base, 1, 0);
      for (const [index, segment] of segments.entries()) {
        guard(next, () => takeSegment(segment, keys[index] ?? 0, record));
        guard(segment.first, () => takeIndexed(segment, record, blocks));
      }
      if (isTail) {
        if (base !== undefined && base.g >= next) throw new Broken(next, 'more is confirmed than there is');
        const [stray] = blocks;
        if (stray !== undefined) throw new Broken(stray.first, 'the index covers more than is sealed');
        const format = record.sync === undefined ? plainFormat : syncedFormat;
        const agrees =
          record.write === format.write &&
          record.minReader === format.minReader &&
          record.head === next - 1 &&
          isSame(record.order, order) &&
          agreesWithOwn(record, highest.get(record.client) ?? { digest: chainStart.digest, clientSeq: 0 });
        if (!agrees) throw new Broken(Math.min(next, record.head + 1), 'the log’s own record of its end differs');
      }
    },
  };
}

/** What the next own commit follows. After a rebase it may be one that is not in the log any more. */
function agreesWithOwn(
  { clientSeq, digest, sync }: LogRecord,
  own: { readonly digest: Uint8Array; readonly clientSeq: number },
): boolean {
  if (sync !== undefined && sync.rebases > 0) return clientSeq >= own.clientSeq;
  return clientSeq === own.clientSeq && isSame(digest, own.digest);
}

/** What a broken value makes our own reading throw is a broken value. */
function guard(position: number, run: () => void): void {
  try {
    run();
  } catch (error) {
    throw error instanceof Broken ? error : new Broken(position, `it cannot be read (${String(error)})`);
  }
}

/** Dictionaries and columns hold nothing besides what the commits were read from. */
function checkColumns(segment: Segment): void {
  const { firstRevisions, types, versions, streamOf, typeOf, marks } = segment;
  const streams = segmentStreams(segment);
  const commits = segmentCommandIds(segment).length;
  const sizes =
    firstRevisions.length === streams.length &&
    versions.length === types.length &&
    typeOf.length === streamOf.length &&
    marks.length === commits &&
    readPayloads(segment).length === streamOf.length &&
    new Set(streamOf).size === streams.length &&
    new Set(typeOf).size === types.length &&
    new Set((segment.tagsOf ?? []).flat()).size === (segment.tags?.length ?? 0) &&
    (segment.clientOf === undefined ? 1 : new Set(segment.clientOf).size) === segment.clients.length;
  if (!sizes) throw new Broken(segment.first, 'a column is longer or shorter than the others');
}

function isSame(left: Uint8Array | undefined, right: Uint8Array | undefined): boolean {
  return left !== undefined && right !== undefined && isSameList(left, right);
}

function isSameBlock(left: IndexBlock, right: IndexBlock): boolean {
  return (
    left.first === right.first &&
    left.last === right.last &&
    isSameList(left.hashes, right.hashes) &&
    isSameList(left.places, right.places) &&
    isSameList(left.segments, right.segments)
  );
}

function isSameList(left: ArrayLike<number>, right: ArrayLike<number>): boolean {
  if (left.length !== right.length) return false;
  for (let at = 0; at < left.length; at += 1) if (left[at] !== right[at]) return false;
  return true;
}
