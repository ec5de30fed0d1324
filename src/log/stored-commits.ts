import type { RecordedEvent } from '../core/events.ts';
import { type CommitHead, linkCommit } from '../protocol/commit-digest.ts';
import { bytesToHex } from '../protocol/hex.ts';
import type { StoredCommit } from './event-log.ts';
import { recordEvent, toMeta } from './record-commit.ts';
import { type PackedEvent, type Segment, unpackSegment } from './segment.ts';
import { toWholeCommits, type WholeCommit } from './whole-commits.ts';

/** The whole commits of segments that come in order. */
export function createAssembler(): (segment: Segment) => readonly WholeCommit[] {
  let pieces: Segment[] = [];
  return (segment) => {
    const { piece } = segment;
    if (piece === undefined) return toWholeCommits(segment);
    if (piece.offset === 0) pieces = [];
    // Begun in the middle of a commit: another order has put it where the reader began.
    else if ((pieces.at(-1)?.last ?? 0) !== segment.first - 1) return [];
    pieces.push(segment);
    if (piece.offset + segment.streamOf.length < piece.total) return [];
    const parts = pieces.flatMap((each) => unpackSegment(each));
    const [start] = parts;
    const first = pieces[0]?.first ?? segment.first;
    pieces = [];
    if (start === undefined) return [];
    const events = parts.flatMap((part) => part.events);
    const payloads = parts.flatMap((part) => part.payloads);
    const { before, after, last } = segment;
    return [{ ...start, events, payloads, first, last, before, after, ends: true }];
  };
}

/** A whole commit with its links. */
export interface LinkedWholeCommit {
  readonly commit: WholeCommit;
  readonly prev: Uint8Array;
  readonly digest: Uint8Array;
  readonly order: Uint8Array;
}

/** The whole commits, with their links, of segments that come in order. */
export function createLinker(logId: string): (segment: Segment) => readonly LinkedWholeCommit[] {
  const assemble = createAssembler();
  return (segment) => {
    // Every segment carries what its links start from.
    const digests = new Map(segment.clients.map((client, index) => [client, segment.prevs[index]]));
    let order = segment.before;
    return assemble(segment).map((commit) => {
      const { head, events, payloads, last } = commit;
      const positioned = events.map((event) => ({ ...event, position: last }));
      const prev = digests.get(head.client) ?? commit.prev;
      const end = linkCommit(logId, head, positioned, payloads, { digest: prev, order });
      digests.set(head.client, end.digest);
      ({ order } = end);
      return { commit, prev, ...end };
    });
  };
}

/** As readers get it. */
export function toStoredCommit({ commit, prev, order }: LinkedWholeCommit): StoredCommit {
  const { head, events, payloads, first } = commit;
  const { causationId, ...rest } = head;
  const cause = causationId === undefined ? {} : { causationId };
  const links = { prev: bytesToHex(prev), orderHash: bytesToHex(order) };
  return { ...rest, ...cause, ...links, events: toEvents(head, events, payloads, first) };
}

/** The commits of a log with their links, page by page, from the commit that holds `from` on. */
export async function* toStoredCommits(
  logId: string,
  scan: (from: number) => AsyncIterable<readonly Segment[]>,
  from: number,
): AsyncGenerator<readonly StoredCommit[]> {
  const start = await startOfCommit(scan, from);
  const link = createLinker(logId);
  let done = 0;
  for await (const page of scan(start)) {
    const commits: StoredCommit[] = [];
    for (const linked of page.flatMap(link)) {
      const { last } = linked.commit;
      // Asked for later, or handed out before a sealing put them into another segment.
      if (last < from || last <= done) continue;
      done = last;
      commits.push(toStoredCommit(linked));
    }
    if (commits.length > 0) yield commits;
  }
}

/** A long commit is read from its first piece. */
async function startOfCommit(scan: (from: number) => AsyncIterable<readonly Segment[]>, from: number): Promise<number> {
  if (from <= 1) return 1;
  for await (const [segment] of scan(from)) {
    return segment?.piece === undefined ? from : segment.first - segment.piece.offset;
  }
  return from;
}

export function toEvents(
  head: CommitHead,
  events: readonly PackedEvent[],
  payloads: readonly string[],
  first: number,
): readonly RecordedEvent[] {
  const meta = toMeta(head);
  return events.map((event, index) =>
    recordEvent(
      { ...event, data: JSON.parse(payloads[index] ?? 'null') },
      { index, revision: event.revision, position: first + index, meta },
    ),
  );
}
