import type { EventFilter } from '../../core/event-query.ts';
import type { RecordedEvent } from '../../core/events.ts';
import type { EventLog } from '../../log/event-log.ts';

export interface FollowOptions {
  /** The last position that the subscriber has seen; 0 (the default) where it has seen none. */
  readonly after?: number;
  /** Ends the subscription: the iteration is over. */
  readonly signal?: AbortSignal;
  /** How often the log is looked at where no hint comes, in milliseconds; 30,000 by default. */
  readonly lookMs?: number;
}

/**
 * The events after a position, in order and each once: first those that are stored, then those that come, of this tab
 * and of others. Pages, none of them empty; it does not end before it is told to.
 *
 * Positions are dense and a log without sync never changes, so the last position that was looked at is all there is to remember: a
 * hint that is missed delays events, and loses none.
 */
export async function* followLog(
  log: EventLog,
  filter: EventFilter = {},
  { after = 0, signal, lookMs = 30_000 }: FollowOptions = {},
): AsyncGenerator<readonly RecordedEvent[]> {
  let position = after;
  let grownTo = 0;
  let wake = () => {};
  const stop = log.onGrowth((head) => {
    grownTo = Math.max(grownTo, head);
    wake();
  });
  const end = () => wake();
  signal?.addEventListener('abort', end);
  try {
    while (!signal?.aborted) {
      const head = await log.head();
      if (head > position) {
        for await (const page of log.read({ ...filter, from: position + 1, to: head })) {
          yield page;
          if (signal?.aborted) return;
        }
        position = head;
      }
      if (grownTo <= position && !signal?.aborted) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, lookMs);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    }
  } finally {
    stop();
    signal?.removeEventListener('abort', end);
  }
}
