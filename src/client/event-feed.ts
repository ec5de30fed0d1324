import type { EventQuery } from '../core/event-query.ts';
import type { RecordedEvent } from '../core/events.ts';
import type { Client } from './client.ts';

/** The newest events of a query, newest first, followed as long as somebody listens. */
export interface EventFeed {
  /** Undefined until they have been read the first time; the same array as long as none comes. */
  get(): readonly RecordedEvent[] | undefined;
  subscribe(listener: () => void): () => void;
}

export type FeedQuery = Pick<EventQuery, 'stream' | 'types' | 'tags'> & { readonly limit: number };

/** How long after the log could not be read it is read again. */
const retryMs = 1_000;

/**
 * Reads once when the log is open, and then once for each time that it grew: only what is new. What is saved during a
 * read is read next, in one go.
 */
export function createEventFeed({ read, status }: Pick<Client, 'read' | 'status'>, query: FeedQuery): EventFeed {
  const listeners = new Set<() => void>();
  let events: readonly RecordedEvent[] | undefined;
  /** Undefined where nothing of this log was read yet. */
  let readTo: number | undefined;
  let reading = false;
  let unfollow = () => {};
  let retry: ReturnType<typeof setTimeout> | undefined;
  /** Counts the logs: an import puts another one in the place of the one that was read. */
  let log = 0;

  const isBehind = () => {
    const { phase, logId, saved } = status.getState();
    // Of a log that could not be opened nobody knows that it is empty.
    const isOpen = phase !== 'booting' && logId !== undefined;
    return listeners.size > 0 && isOpen && (readTo === undefined || saved > readTo);
  };

  async function readNew(): Promise<void> {
    if (reading) return;
    reading = true;
    try {
      while (isBehind()) {
        const { saved } = status.getState();
        const turn = log;
        const known = readTo === undefined ? [] : (events ?? []);
        const fresh: RecordedEvent[] = [];
        if (saved > 0) {
          const wanted = { ...query, backwards: true, from: (readTo ?? 0) + 1, to: saved };
          for await (const event of read(wanted)) fresh.push(event);
        }
        if (turn !== log) continue;
        readTo = saved;
        if (fresh.length === 0 && events?.length === known.length) continue;
        events = [...fresh, ...known].slice(0, query.limit);
        for (const listener of listeners) listener();
      }
    } catch {
      // The status says what is wrong with the storage; the events that were read stay on screen.
      clearTimeout(retry);
      retry = setTimeout(() => void readNew(), retryMs);
    } finally {
      reading = false;
    }
  }

  function follow(): () => void {
    return status.subscribe((now, before) => {
      if (now.saved < before.saved || now.rebases !== before.rebases) {
        log += 1;
        readTo = undefined;
      }
      if (now.saved !== before.saved || now.phase !== before.phase || now.rebases !== before.rebases) void readNew();
    });
  }

  return {
    get: () => events,
    subscribe: (listener) => {
      listeners.add(listener);
      if (listeners.size === 1) {
        // Nobody followed: another log may stand in the place of the one that was read.
        if (!reading) readTo = undefined;
        unfollow = follow();
        void readNew();
      }
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        unfollow();
        clearTimeout(retry);
      };
    },
  };
}
