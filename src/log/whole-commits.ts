import { linkCommit } from '../protocol/commit-digest.ts';
import { type PackedCommit, type Segment, unpackSegment } from './segment.ts';

/** A whole commit, put together where it was stored in pieces. */
export interface WholeCommit extends PackedCommit {
  readonly first: number;
  readonly last: number;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
  /** Whether it is the last of its segment, so that `after` is the segment's. */
  readonly ends: boolean;
}

/** The commits of a segment that is no piece of a longer one. */
export function toWholeCommits(segment: Segment): readonly WholeCommit[] {
  let position = segment.first;
  const commits = unpackSegment(segment);
  return commits.map((commit, index) => {
    const first = position;
    position += commit.events.length;
    const { before, after } = segment;
    return { ...commit, first, last: position - 1, before, after, ends: index === commits.length - 1 };
  });
}

/** The order hash of a log after a position; undefined where no commit of the segment ends there. */
export function orderAfter(logId: string, segment: Segment, position: number): Uint8Array | undefined {
  if (position === segment.last && segment.piece === undefined) return segment.after;
  const { piece } = segment;
  if (piece !== undefined) {
    return position === segment.last && piece.offset + segment.streamOf.length === piece.total
      ? segment.after
      : undefined;
  }
  const digests = new Map(segment.clients.map((client, index) => [client, segment.prevs[index]]));
  let order = segment.before;
  for (const { head, events, payloads, prev, last } of toWholeCommits(segment)) {
    if (last > position) return undefined;
    const positioned = events.map((event) => ({ ...event, position: last }));
    const end = linkCommit(logId, head, positioned, payloads, { digest: digests.get(head.client) ?? prev, order });
    digests.set(head.client, end.digest);
    order = end.order;
    if (last === position) return order;
  }
  return undefined;
}
