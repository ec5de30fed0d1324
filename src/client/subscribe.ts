import { FailureError } from '../core/errors.ts';
import type { EventFilter, EventQuery } from '../core/event-query.ts';
import type { RecordedEvent } from '../core/events.ts';
import type { StatusStore } from './status.ts';

export interface SubscribeOptions {
  /** The last position that the subscriber has seen; 0 (the default) where it has seen none. */
  readonly after?: number;
  readonly signal?: AbortSignal;
}

/** What `Client.subscribe` promises, from reading and from the position that the status says is saved. */
export async function* subscribe(
  read: (query: EventQuery) => AsyncIterable<RecordedEvent>,
  status: StatusStore,
  filter: EventFilter,
  { after = 0, signal }: SubscribeOptions,
): AsyncGenerator<RecordedEvent> {
  let position = after;
  let seen = 0;
  while (!signal?.aborted) {
    const { saved, failure, phase } = status.getState();
    if (phase === 'failed' && failure !== undefined) throw new FailureError(failure);
    if (saved < seen) {
      throw new FailureError({
        type: 'storage.replaced',
        text: 'The events that were followed were replaced by an import. Subscribe again, from the position where the new log is to be read from.',
      });
    }
    seen = saved;
    if (saved <= position) {
      await nextStatus(status, signal);
      continue;
    }
    for await (const event of read({ ...filter, from: position + 1, to: saved })) {
      yield event;
      if (signal?.aborted) return;
    }
    position = saved;
  }
}

/** Resolves with the next change of the status, or when `signal` is aborted. */
function nextStatus(status: StatusStore, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      unsubscribe();
      signal?.removeEventListener('abort', settle);
      resolve();
    };
    const unsubscribe = status.subscribe(settle);
    signal?.addEventListener('abort', settle);
  });
}
