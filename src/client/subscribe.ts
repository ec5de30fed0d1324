import { type Failure, FailureError } from '../core/errors.ts';
import type { EventFilter, EventQuery } from '../core/event-query.ts';
import type { RecordedEvent } from '../core/events.ts';
import type { StatusStore } from './status.ts';

export interface SubscribeOptions {
  /** The last position that the subscriber has seen; 0 (the default) where it has seen none. */
  readonly after?: number;
  readonly signal?: AbortSignal;
}

/**
 * What `Client.subscribe` promises, from reading and from the position that the status says is saved. Fails with the reason
 * of `closed` once that is aborted.
 */
export async function* subscribe(
  read: (query: EventQuery) => AsyncIterable<RecordedEvent>,
  status: StatusStore,
  filter: EventFilter,
  { after = 0, signal, closed }: SubscribeOptions & { readonly closed?: AbortSignal },
): AsyncGenerator<RecordedEvent> {
  let position = after;
  let isReplaced = false;
  let setBacks = 0;
  let wake = () => {};
  // The whole time: a log may be replaced, and have grown again, while its events are read.
  const unsubscribe = status.subscribe((now, before) => {
    isReplaced ||= now.phase === 'booting' && now.saved < before.saved;
    const { confirmed = 0 } = now.sync ?? {};
    if (before.sync !== undefined && confirmed < before.sync.confirmed && confirmed < position) {
      position = confirmed;
      setBacks += 1;
    }
    wake();
  });
  const end = () => wake();
  signal?.addEventListener('abort', end);
  closed?.addEventListener('abort', end);
  try {
    while (!signal?.aborted) {
      closed?.throwIfAborted();
      const { saved: head, sync, failure, phase } = status.getState();
      // What is pending may still be moved or withdrawn: who is told each once and in order is told what is confirmed.
      const saved = sync === undefined ? head : Math.min(head, sync.confirmed);
      if (failure !== undefined) throw new FailureError(failure);
      if (isReplaced) throw new FailureError(replaced);
      // What the worker shows while it starts may be pending: it has not said yet what is confirmed.
      if (phase === 'booting' || saved <= position) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      const from = position + 1;
      const known = setBacks;
      // What is told now counts as told: it may be set back while it is read.
      position = saved;
      for await (const event of read({ ...filter, from, to: saved })) {
        if (isReplaced) throw new FailureError(replaced);
        if (setBacks !== known) {
          // What is told next is this, or what stands in its place.
          position = Math.min(position, event.position - 1);
          break;
        }
        yield event;
        if (signal?.aborted) return;
      }
    }
  } finally {
    unsubscribe();
    signal?.removeEventListener('abort', end);
    closed?.removeEventListener('abort', end);
  }
}

const replaced: Failure = {
  type: 'storage.replaced',
  text: 'The events that were followed were replaced by an import. Subscribe again, from where the new log is to be read.',
};
