import type { RecordedEvent } from '../core/events.ts';
import { type PackedCommit, packSegment, type Segment } from './segment.ts';
import { commitToPart, createSegmentRoom, fullSegment, utf8Length } from './segment-room.ts';

/** A recorded commit between its order hashes. */
export interface LinkedCommit extends PackedCommit {
  readonly events: readonly RecordedEvent[];
  readonly digest: Uint8Array;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

/** Packs commits, in order from a position on, into as few segments as may be; a long commit into pieces of its own. */
export function packCommits(first: number, commits: readonly LinkedCommit[]): Segment[] {
  const segments: Segment[] = [];
  let run: LinkedCommit[] = [];
  let room = createSegmentRoom();
  /** What the next commit of each client follows, of those in the run: it is not stored again with that commit. */
  let digests = new Map<string, Uint8Array>();
  const next = () => (segments.at(-1)?.last ?? first - 1) + 1;
  const flush = () => {
    const [start] = run;
    const end = run.at(-1);
    if (start === undefined || end === undefined) return;
    segments.push(packSegment(next(), run, start.before, end.after));
    run = [];
    room = createSegmentRoom();
    digests = new Map();
  };
  for (const commit of commits) {
    const { client } = commit.head;
    // One that was recovered, or written anew, follows another commit than the one that stands before it.
    if (!isSameHash(digests.get(client) ?? commit.prev, commit.prev)) flush();
    const part = commitToPart(commit);
    let fits = room.take(part);
    if (!fits && run.length > 0) {
      flush();
      fits = room.take(part);
    }
    if (fits) {
      run.push(commit);
      digests.set(client, commit.digest);
      continue;
    }
    const total = commit.events.length;
    for (const piece of cut(commit)) {
      const at = { offset: piece.offset, total };
      segments.push(packSegment(next(), [piece.commit], commit.before, commit.after, at));
    }
  }
  flush();
  return segments;
}

/** The pieces of a commit that no segment holds as a whole; an event that fills more than one stands alone. */
function* cut(commit: PackedCommit): Generator<{ readonly offset: number; readonly commit: PackedCommit }> {
  let offset = 0;
  let events = 0;
  let bytes = 0;
  for (let at = 0; at < commit.events.length; at += 1) {
    const { stream = '', tags = [] } = commit.events[at] ?? {};
    const added = utf8Length(commit.payloads[at] ?? '') + stream.length + tags.join('').length + 16;
    if (events > 0 && (events === fullSegment.events || bytes + added > fullSegment.bytes)) {
      yield { offset, commit: slice(commit, offset, at) };
      offset = at;
      events = 0;
      bytes = 0;
    }
    events += 1;
    bytes += added;
  }
  yield { offset, commit: slice(commit, offset, commit.events.length) };
}

function slice(commit: PackedCommit, start: number, end: number): PackedCommit {
  return { ...commit, events: commit.events.slice(start, end), payloads: commit.payloads.slice(start, end) };
}

function isSameHash(left: Uint8Array, right: Uint8Array): boolean {
  return left === right || left.every((byte, at) => byte === right[at]);
}
