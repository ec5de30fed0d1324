import { useMemo, useSyncExternalStore } from 'react';
import { createEventFeed, type FeedQuery } from '../client/event-feed.ts';
import type { EventQuery } from '../core/event-query.ts';
import type { RecordedEvent } from '../core/events.ts';
import { useClient } from './provider.tsx';

/**
 * The newest stored events of a query, newest first, kept up to date: for feeds and histories.
 *
 * Undefined until they have been read the first time, and on a server. `limit` is 50 where none is given. Never suspends;
 * where the log cannot be read, what was read stays, and the status says what is wrong.
 *
 * ### Example
 * ```tsx
 * const history = useEvents({ stream: 'account-ada', limit: 100 });
 * ```
 */
export function useEvents({
  stream,
  types,
  tags,
  limit = 50,
}: Pick<EventQuery, 'stream' | 'types' | 'tags' | 'limit'> = {}): readonly RecordedEvent[] | undefined {
  const client = useClient();
  // Written inline, a query is a new object at each render: what it says counts.
  const question = JSON.stringify({ stream, types, tags });
  const feed = useMemo(
    // A limit may be Infinity, which JSON has no word for.
    () => createEventFeed(client, { ...JSON.parse(question), limit } as FeedQuery),
    [client, question, limit],
  );
  return useSyncExternalStore(feed.subscribe, feed.get, () => undefined);
}
