import { describe, expect, it, onTestFinished } from 'vitest';
import { FailureError } from '../core/errors.ts';
import type { RecordedEvent } from '../core/events.ts';
import type { Client } from './client.ts';
import { createEventFeed, type EventFeed } from './event-feed.ts';
import { createStatusStore } from './status.ts';

const failure = { type: 'storage.failed', text: 'The disk cannot be read.' } as const;

/** A feed of what `read` gives, that somebody listens to. */
function follow(read: Client['read']) {
  const status = createStatusStore();
  const feed: EventFeed = createEventFeed({ read, status }, { limit: 10 });
  onTestFinished(feed.subscribe(() => undefined));
  return { feed, status };
}

const nothing = async function* (): AsyncGenerator<RecordedEvent> {};

describe('a feed', () => {
  it('has nothing to say of a log that could not be opened', async () => {
    const { feed, status } = follow(nothing);
    status.setState({ phase: 'failed', failure });
    await new Promise((resolve) => setTimeout(resolve));
    expect(feed.get()).toBeUndefined();
    status.setState({ phase: 'ready', logId: 'log-1', failure: undefined });
    await expect.poll(feed.get).toEqual([]);
  });

  it('reads again a second after it could not, also where the log has not grown', async () => {
    let failures = 1;
    const { feed, status } = follow(async function* () {
      failures -= 1;
      if (failures >= 0) throw new FailureError(failure);
      yield* nothing();
    });
    status.setState({ phase: 'ready', logId: 'log-1', saved: 1 });
    await expect.poll(feed.get, { timeout: 3_000 }).toEqual([]);
  });
});
