import { describe, expect, it } from 'vitest';
import { createClient } from '../client/client.ts';
import {
  type App,
  defineAggregate,
  defineApp,
  defineEvents,
  defineProjection,
  type EventSet,
  type RecordedEvent,
  shape,
  versions,
} from '../core/index.ts';
import { createMemoryEventLog, type MemoryEventLog } from '../log/memory-event-log.ts';
import { createInProcessWorker } from '../testing/in-process-worker.ts';

// The same app in three builds, as its log lives through them.
const cents = shape<{ cents: number }>();
const euros = shape<{ euros: number }>();
const first = toApp(defineEvents({ Paid: cents, Dropped: shape<object>() }), (data: { cents: number }) => data.cents);
const second = toApp(
  defineEvents({
    Paid: versions(cents).to(euros, (old) => ({ euros: old.cents / 100 })),
    Dropped: versions(shape<object>()).deprecated(),
  }),
  (data: { euros: number }) => data.euros * 100,
);
const third = toApp(
  defineEvents({
    Settled: versions(cents)
      .to(euros, (old) => ({ euros: old.cents / 100 }))
      .to(shape<{ sum: string }>(), (old) => ({ sum: `${old.euros} EUR` }))
      .formerly('Paid'),
    Dropped: versions(shape<object>()).deprecated(),
  }),
  (data: { sum: string }) => Number.parseFloat(data.sum) * 100,
);

function toApp(events: EventSet, centsOf: (data: never) => number) {
  const type = 'Settled' in events ? 'Settled' : 'Paid';
  const step = (paid: number | undefined, event: RecordedEvent) => (paid ?? 0) + centsOf(event.data as never);
  const Bill = defineAggregate('bill', {
    events,
    initialState: () => 0,
    evolve: { [type]: step, Dropped: (paid: number) => paid },
    commands: {
      pay: { input: shape<object>(), decide: (data) => events[type]?.(data as never) ?? [] },
    },
  });
  const Sums = defineProjection('sums', {
    version: 1,
    from: [events],
    row: shape<{ cents: number }>(),
    on: { [type]: (row: { cents: number } | undefined, event: RecordedEvent) => ({ cents: step(row?.cents, event) }) },
  });
  return { app: defineApp({ name: 'bills', aggregates: [Bill], projections: [Sums] }), Bill, Sums };
}

function open(app: App, log: MemoryEventLog) {
  return createClient(app, () => createInProcessWorker({ app, log: log.open() }), { askToPersist: false });
}

/** The row of bill 1, read by a build of the app. */
async function centsIn({ app, Sums }: ReturnType<typeof toApp>, log: MemoryEventLog) {
  const client = open(app, log);
  await client.mirror(Sums).ready;
  const row = client.mirror(Sums).rows.get('1');
  const { unreadable } = client.status.getState();
  await client.close();
  return {
    cents: row?.cents,
    unreadable: unreadable.map(({ eventType, version, count }) => ({ eventType, version, count })),
  };
}

async function pay({ app, Bill }: ReturnType<typeof toApp>, log: MemoryEventLog, data: object) {
  const client = open(app, log);
  const receipt = await client.execute(Bill, '1', 'pay', data);
  await client.close();
  return receipt;
}

describe('a log that lives through builds of its app', () => {
  it('is read by each newer build in its own form, and never rewritten', async () => {
    const log = createMemoryEventLog();
    await pay(first, log, { cents: 100 });
    await pay(second, log, { euros: 2 });
    await pay(third, log, { sum: '3 EUR' });
    expect(await centsIn(third, log)).toEqual({ cents: 600, unreadable: [] });
    const stored: RecordedEvent[] = [];
    for await (const page of log.read({})) stored.push(...page);
    expect(stored.map(({ type, version, data }) => ({ type, version, data }))).toEqual([
      { type: 'Paid', version: 1, data: { cents: 100 } },
      { type: 'Paid', version: 2, data: { euros: 2 } },
      { type: 'Settled', version: 3, data: { sum: '3 EUR' } },
    ]);
  });

  it('is found by the new name of a type, with what was stored under the old one', async () => {
    const log = createMemoryEventLog();
    await pay(first, log, { cents: 100 });
    await pay(third, log, { sum: '3 EUR' });
    const client = open(third.app, log);
    const found: unknown[] = [];
    for await (const { type, data } of client.read({ types: ['Settled'] })) found.push({ type, data });
    expect(found).toEqual([
      { type: 'Settled', data: { sum: '1 EUR' } },
      { type: 'Settled', data: { sum: '3 EUR' } },
    ]);
    await client.close();
  });

  it('keeps what an older build cannot read, tells it, and shows it after the upgrade', async () => {
    const log = createMemoryEventLog();
    await pay(first, log, { cents: 100 });
    await pay(second, log, { euros: 2 });
    await pay(third, log, { sum: '3 EUR' });
    const newer = [
      { eventType: 'Paid', version: 2, count: 1 },
      { eventType: 'Settled', version: 3, count: 1 },
    ];
    expect(await centsIn(first, log)).toEqual({ cents: 100, unreadable: newer });
    // From saved rows too.
    expect(await centsIn(first, log)).toEqual({ cents: 100, unreadable: newer });
    expect(await centsIn(third, log)).toEqual({ cents: 600, unreadable: [] });
  });

  it('refuses to decide on a stream of which a part cannot be read', async () => {
    const log = createMemoryEventLog();
    await pay(second, log, { euros: 2 });
    expect(await pay(first, log, { cents: 1 })).toMatchObject({
      status: 'failed',
      failure: { type: 'event.future', eventType: 'Paid', version: 2, position: 1 },
    });
    expect(await log.head()).toBe(1);
    expect(await pay(second, log, { euros: 1 })).toMatchObject({ status: 'saved' });
  });
});
