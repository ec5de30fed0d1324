import { fullSegment, type PackedCommit, packedSize, packSegment, type Segment } from './segment.ts';

/** A packed commit between its order hashes. */
export interface LinkedCommit extends PackedCommit {
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

/** Packs commits, in order from a position on, into as few segments as may be; a long commit into pieces of its own. */
export function packCommits(first: number, commits: readonly LinkedCommit[]): Segment[] {
  const segments: Segment[] = [];
  let run: LinkedCommit[] = [];
  let events = 0;
  let size = 0;
  const next = () => (segments.at(-1)?.last ?? first - 1) + 1;
  const flush = () => {
    const [start] = run;
    const end = run.at(-1);
    if (start === undefined || end === undefined) return;
    segments.push(packSegment(next(), run, start.before, end.after));
    run = [];
    events = 0;
    size = 0;
  };
  for (const commit of commits) {
    const commitSize = packedSize(commit);
    if (commit.events.length > fullSegment.events || commitSize > fullSegment.characters) {
      flush();
      for (const piece of cut(commit)) {
        segments.push(
          packSegment(next(), [piece.commit], commit.before, commit.after, {
            offset: piece.offset,
            total: commit.events.length,
          }),
        );
      }
      continue;
    }
    if (events + commit.events.length > fullSegment.events || size + commitSize > fullSegment.characters) flush();
    run.push(commit);
    events += commit.events.length;
    size += commitSize;
  }
  flush();
  return segments;
}

function* cut(commit: PackedCommit): Generator<{ readonly offset: number; readonly commit: PackedCommit }> {
  let offset = 0;
  let size = 0;
  for (let at = 0; at < commit.events.length; at += 1) {
    const added = (commit.payloads[at]?.length ?? 0) + 12;
    if (at > offset && (at - offset >= fullSegment.events || size + added > fullSegment.characters)) {
      yield { offset, commit: slice(commit, offset, at) };
      offset = at;
      size = 0;
    }
    size += added;
  }
  yield { offset, commit: slice(commit, offset, commit.events.length) };
}

function slice(commit: PackedCommit, start: number, end: number): PackedCommit {
  return { ...commit, events: commit.events.slice(start, end), payloads: commit.payloads.slice(start, end) };
}
