import { describe, expect, it } from 'vitest';
import type { EventQuery } from '../core/event-query.ts';
import type { RecordedEvent } from '../core/events.ts';
import { createStatusStore } from './status.ts';
import { subscribe } from './subscribe.ts';

const eventAt = (position: number): RecordedEvent => ({
  ...{ id: `c${position}.0`, stream: 'a-1', revision: position - 1, position, type: 'Counted', version: 1, data: {} },
  meta: { commandId: `c${position}`, correlationId: `c${position}`, recordedAt: 0 },
});

describe('a subscription', () => {
  it('gives nothing of a log that was put in the place of the one it follows, also in the middle of a read', async () => {
    const status = createStatusStore();
    status.setState({ phase: 'ready', saved: 5 });
    const read = async function* ({ from = 1, to = 0 }: EventQuery) {
      for (let position = from; position <= to; position += 1) yield eventAt(position);
    };
    const seen: number[] = [];
    const following = (async () => {
      for await (const { position } of subscribe(read, status, {}, {})) {
        seen.push(position);
        // An import, and the new log is longer by the time that anybody looks.
        if (position === 3) {
          status.setState({ phase: 'booting', saved: 0 });
          status.setState({ phase: 'ready', saved: 9 });
        }
      }
    })();
    await expect(following).rejects.toMatchObject({ failure: { type: 'storage.replaced' } });
    expect(seen).toEqual([1, 2, 3]);
  });

  it('takes nothing for saved before the worker has said what of it is confirmed', async () => {
    const status = createStatusStore();
    const read = async function* ({ from = 1, to = 0 }: EventQuery) {
      for (let position = from; position <= to; position += 1) yield eventAt(position);
    };
    const seen: number[] = [];
    const stopping = new AbortController();
    const followed = (async () => {
      for await (const { position } of subscribe(read, status, {}, { signal: stopping.signal })) seen.push(position);
    })();
    // Rows are shown while the rest of the worker starts.
    status.setState({ saved: 3 });
    await new Promise((resolve) => setTimeout(resolve));
    expect(seen).toEqual([]);
    const counts = { pending: 1, pushed: 0, confirmed: 2, refused: 0 };
    status.setState({ phase: 'ready', sync: { phase: 'synced', nextWakeAt: 1, ...counts } });
    await expect.poll(() => seen).toEqual([1, 2]);
    stopping.abort();
    await followed;
  });

  it('fails with what the app failed with', async () => {
    const status = createStatusStore();
    const read = async function* (): AsyncGenerator<RecordedEvent> {};
    const next = subscribe(read, status, {}, {}).next();
    const failure = { type: 'storage.reset', text: 'The events are gone.' } as const;
    status.setState({ phase: 'failed', failure });
    await expect(next).rejects.toMatchObject({ failure });
  });
});
