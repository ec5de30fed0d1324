import { type EventQuery, matchesQuery } from '../core/event-query.ts';
import type { RecordedEvent } from '../core/events.ts';
import { noHash } from '../protocol/sync-commit.ts';
import type { StoredCommit } from './event-log.ts';

/** Commits in order with their events, found by position, stream and command id. */
export interface MemoryLogData {
  readonly commits: StoredCommit[];
  /** Of each commit. */
  readonly digests: string[];
  readonly events: RecordedEvent[];
  readonly eventsByStream: Map<string, RecordedEvent[]>;
  readonly eventsByCommand: Map<string, readonly RecordedEvent[]>;
}

export function createMemoryLogData(): MemoryLogData {
  return { commits: [], digests: [], events: [], eventsByStream: new Map(), eventsByCommand: new Map() };
}

export function copyMemoryLogData({ commits, digests }: MemoryLogData): MemoryLogData {
  const copy = createMemoryLogData();
  for (const [at, commit] of commits.entries()) addCommit(copy, commit, digests[at] ?? noHash);
  return copy;
}

export function addCommit(data: MemoryLogData, commit: StoredCommit, digest: string): void {
  data.commits.push(commit);
  data.digests.push(digest);
  data.eventsByCommand.set(commit.commandId, commit.events);
  for (const event of commit.events) {
    data.events.push(event);
    const stream = data.eventsByStream.get(event.stream);
    if (stream === undefined) data.eventsByStream.set(event.stream, [event]);
    else stream.push(event);
  }
}

/** Takes out every commit but the first ones, and calls `onStream` for each of their events. */
export function cutCommits(data: MemoryLogData, kept: number, onStream: (stream: string) => void): void {
  while (data.commits.length > kept) {
    const commit = data.commits.pop();
    data.digests.pop();
    if (commit === undefined) return;
    data.eventsByCommand.delete(commit.commandId);
    for (const { stream } of commit.events) {
      data.events.pop();
      const events = data.eventsByStream.get(stream);
      events?.pop();
      if (events?.length === 0) data.eventsByStream.delete(stream);
      onStream(stream);
    }
  }
}

/** How many of the first commits end at a position or before. */
export function countCommitsTo({ commits }: MemoryLogData, position: number): number {
  return countWhile(commits, (commit) => lastPosition(commit) <= position);
}

/** How many of the first events, in order, stand at a position or before. */
export function countEventsTo(events: readonly RecordedEvent[], position: number): number {
  if ((events.at(-1)?.position ?? 0) <= position) return events.length;
  return countWhile(events, (event) => event.position <= position);
}

/** The order hash after a position; undefined where no commit ends there. */
export function orderHashAt(data: MemoryLogData, position: number): string | undefined {
  if (position === 0) return noHash;
  const commit = data.commits[countCommitsTo(data, position) - 1];
  return commit !== undefined && lastPosition(commit) === position ? commit.orderHash : undefined;
}

export function lastPosition({ events }: StoredCommit): number {
  return events.at(-1)?.position ?? 0;
}

export function revisionOf(data: MemoryLogData, stream: string): number {
  return data.eventsByStream.get(stream)?.at(-1)?.revision ?? -1;
}

export function findEvents({ events, eventsByStream }: MemoryLogData, query: EventQuery): RecordedEvent[] {
  const { stream, from = 1, to = events.length, backwards = false, limit } = query;
  const candidates =
    stream === undefined ? events.slice(Math.max(0, from - 1), Math.max(0, to)) : (eventsByStream.get(stream) ?? []);
  const found = candidates.filter((event) => matchesQuery(event, query));
  if (backwards) found.reverse();
  return found.slice(0, limit);
}

function countWhile<Item>(items: readonly Item[], holds: (item: Item) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(items[middle] as Item)) low = middle + 1;
    else high = middle;
  }
  return low;
}
