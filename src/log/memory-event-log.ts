import { type EventQuery, matchesQuery } from '../core/event-query.ts';
import type { RecordedEvent } from '../core/events.ts';
import type { EventLog, LogTransaction } from './event-log.ts';
import { recordCommit } from './record-commit.ts';

/** An event log in memory: for tests, and for the server side of a render. Nothing survives it. */
export function createMemoryEventLog(options: { readonly logId?: string } = {}): EventLog {
  const events: RecordedEvent[] = [];
  const revisions = new Map<string, number>();
  let queue: Promise<unknown> = Promise.resolve();

  async function runAlone<Result>(work: (transaction: LogTransaction) => Promise<Result>): Promise<Result> {
    const appended: RecordedEvent[] = [];
    const moved = new Map(revisions);
    const all = () => [...events, ...appended];
    const result = await work({
      get head() {
        return events.length + appended.length;
      },
      revisions: async (streams) => streams.map((stream) => moved.get(stream) ?? -1),
      readStream: async (stream, fromRevision) =>
        all().filter((event) => event.stream === stream && event.revision >= fromRevision),
      findCommit: async (commandId) => {
        const found = all().filter((event) => event.meta.commandId === commandId);
        return found.length === 0 ? undefined : found;
      },
      append: async (commit) => {
        for (const { stream } of commit.events) if (!moved.has(stream)) moved.set(stream, -1);
        const recorded = recordCommit(commit, events.length + appended.length, moved);
        appended.push(...recorded.events);
        return recorded.events;
      },
      turn: () => new Promise((resolve) => setTimeout(resolve)),
    });
    // Reached only where `work` did not throw: this is the commit.
    for (const event of appended) {
      events.push(event);
      revisions.set(event.stream, event.revision);
    }
    return result;
  }

  return {
    logId: options.logId ?? 'memory',
    write: (work) => {
      const result = queue.then(() => runAlone(work));
      queue = result.catch(() => undefined);
      return result;
    },
    read: async function* (query: EventQuery) {
      const found = events.filter((event) => matchesQuery(event, query));
      if (query.backwards) found.reverse();
      const wanted = found.slice(0, query.limit ?? found.length);
      for (let start = 0; start < wanted.length; start += 1000) yield wanted.slice(start, start + 1000);
    },
    head: async () => events.length,
    close: () => undefined,
  };
}
