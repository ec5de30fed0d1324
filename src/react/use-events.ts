import { useEffect, useRef, useState } from 'react';
import type { EventQuery } from '../core/event-query.ts';
import type { RecordedEvent } from '../core/events.ts';
import { useClient } from './provider.tsx';

/**
 * The newest stored events of a query, newest first, kept up to date: for feeds and histories.
 *
 * Undefined until they have been read the first time. `limit` is 50 where none is given.
 *
 * ### Example
 * ```tsx
 * const history = useEvents({ stream: 'account-ada', limit: 100 });
 * ```
 */
export function useEvents(
  query: Pick<EventQuery, 'stream' | 'types' | 'limit'> = {},
): readonly RecordedEvent[] | undefined {
  const client = useClient();
  const { stream, limit = 50 } = query;
  const types = query.types?.join(' ');
  const question = `${stream ?? ''}\n${types ?? ''}\n${limit}`;
  const [found, setFound] = useState<{ readonly question: string; readonly events: readonly RecordedEvent[] }>();
  const newest = useRef<readonly RecordedEvent[]>([]);

  useEffect(() => {
    let live = true;
    let reading = false;
    let readTo: number | undefined;
    newest.current = [];
    const wanted: EventQuery = {
      ...(stream === undefined ? {} : { stream }),
      ...(types === undefined ? {} : { types: types.split(' ') }),
      limit,
      backwards: true,
    };
    // One read at a time; what is saved during a read is read next. Only what is new is read again.
    async function readNew(): Promise<void> {
      if (reading) return;
      reading = true;
      try {
        while (live && (readTo === undefined || readTo < client.status.getState().saved)) {
          const { saved } = client.status.getState();
          const fresh: RecordedEvent[] = [];
          for await (const event of client.read({ ...wanted, from: (readTo ?? 0) + 1 })) fresh.push(event);
          if (!live) return;
          readTo = Math.max(saved, fresh[0]?.position ?? 0);
          if (fresh.length > 0) newest.current = [...fresh, ...newest.current].slice(0, limit);
          setFound({ question, events: newest.current });
        }
      } catch {
        // The status says what is wrong with the storage; the events that were read stay on screen.
      } finally {
        reading = false;
      }
    }
    void readNew();
    const unsubscribe = client.status.subscribe((now, before) => {
      if (now.saved !== before.saved) void readNew();
    });
    return () => {
      live = false;
      unsubscribe();
    };
  }, [client, stream, types, limit, question]);

  return found?.question === question ? found.events : undefined;
}
