import type { Failure } from '../../core/errors.ts';
import type { EventQuery } from '../../core/event-query.ts';
import type { RecordedEvent } from '../../core/events.ts';
import type { AppendCondition, EventLog, NewCommit, StoredCommit } from '../../log/event-log.ts';

/** Appends one commit in a write of its own. */
export function append(
  log: EventLog,
  commit: NewCommit,
  condition?: AppendCondition,
): Promise<readonly RecordedEvent[]> {
  return log.write((transaction) => transaction.append(commit, condition));
}

/** Appends commits in order, several in each write: a log of hundreds is filled in a moment, also on a disk. */
export async function appendAll(log: EventLog, commits: readonly NewCommit[]): Promise<void> {
  for (let start = 0; start < commits.length; start += 15) {
    await log.write(async (transaction) => {
      for (const commit of commits.slice(start, start + 15)) await transaction.append(commit);
    });
  }
}

/** As the engine does it: a command that was committed before is answered with its events, and not stored again. */
export function appendOnce(log: EventLog, commit: NewCommit): Promise<readonly RecordedEvent[]> {
  return log.write(async (transaction) => {
    const found = await transaction.findCommit(commit.commandId);
    return found ?? transaction.append(commit);
  });
}

export async function readAll(log: EventLog, query: EventQuery = {}): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const page of log.read(query)) events.push(...page);
  return events;
}

export async function readAllCommits(log: EventLog, from?: number): Promise<StoredCommit[]> {
  const commits: StoredCommit[] = [];
  for await (const page of log.readCommits(from)) commits.push(...page);
  return commits;
}

/** The failure that a promise rejects with; otherwise what it did instead, as a text that fits no failure. */
export function failureOf(promise: Promise<unknown>): Promise<Partial<Failure> | string> {
  return promise.then(
    () => 'it resolved',
    (error: unknown) =>
      typeof error === 'object' && error !== null && 'failure' in error
        ? (error.failure as Failure)
        : `it rejected without a failure: ${error}`,
  );
}

export function positionsOf(events: readonly RecordedEvent[]): number[] {
  return events.map(({ position }) => position);
}

/** A turn of the event loop, in which timers, messages and storage get on. */
export function pause(timeMs = 0): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, timeMs));
}
