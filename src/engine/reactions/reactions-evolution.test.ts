import { describe, expect, it } from 'vitest';
import {
  type App,
  command,
  defineAggregate,
  defineApp,
  defineEvents,
  defineProcess,
  defineReactor,
  type RecordedEvent,
  shape,
  versions,
} from '../../core/index.ts';
import { createMemoryEventLog, type MemoryEventLog } from '../../log/memory-event-log.ts';
import { createTestClient } from '../../testing/test-client.ts';

interface Cents {
  readonly cents: number;
}

const NoteEvents = defineEvents({ Noted: shape<{ readonly text: string }>() });

const Note = defineAggregate('note', {
  events: NoteEvents,
  initialState: () => 0,
  evolve: { Noted: (count) => count + 1 },
  commands: { note: { input: shape<{ readonly text: string }>(), decide: (input) => NoteEvents.Noted(input) } },
});

const first = defineEvents({ Paid: shape<Cents>() });
const withEuros = (toEuros: (old: Cents) => number) =>
  defineEvents({
    Paid: versions(shape<Cents>()).to(shape<{ readonly euros: number }>(), (old) => ({ euros: toEuros(old) })),
    Refunded: shape<Cents>(),
  });
const second = withEuros(({ cents }) => cents / 100);
const clumsy = withEuros(({ cents }) => {
  if (cents === 13) throw new Error('thirteen');
  return cents / 100;
});

/** A reactor and a process that note what they hear. */
function toApp(events: typeof first | typeof second, heard: string[]): App {
  const toText = ({ type, data }: Pick<RecordedEvent, 'type' | 'data'>) => `${type} ${JSON.stringify(data)}`;
  const types = Object.keys(events) as 'Paid'[];
  const on = <Handler>(handler: Handler) =>
    Object.fromEntries(types.map((type) => [type, handler])) as { Paid: Handler };
  const Ear = defineReactor('ear', {
    from: [events as typeof first],
    startAt: 'beginning',
    on: on((event: RecordedEvent) => void heard.push(toText(event))),
  });
  const Scribe = defineProcess('scribe', {
    from: [events as typeof first],
    startAt: 'beginning',
    initialState: () => ({}),
    on: on((_state: object, event: RecordedEvent) => ({
      commands: [command(Note, 'all', 'note', { text: toText(event) })],
    })),
  });
  return defineApp({ name: 'bills', aggregates: [Note], projections: [], reactors: [Ear], processes: [Scribe] });
}

async function store(log: MemoryEventLog, type: string, version: number, data: object): Promise<void> {
  const commandId = `stored-${await log.head()}`;
  const events = [{ stream: 'bill-1', type, version, data }];
  await log.write((transaction) => transaction.append({ commandId, correlationId: commandId, recordedAt: 0, events }));
}

let opened = 0;

/** What a build of the app hears of a log, what it notes, and what its consumers fail with. */
async function hear(events: typeof first | typeof second, log: MemoryEventLog) {
  const heard: string[] = [];
  opened += 1;
  const { client, settle, close } = createTestClient(toApp(events, heard), { log, ids: `opened-${opened}` });
  await settle();
  const noted: string[] = [];
  for await (const { data } of client.read({ types: ['Noted'] })) noted.push((data as { text: string }).text);
  const failures = client.status.getState().consumers.map(({ failure }) => failure?.text);
  await close();
  return { heard, noted, failures };
}

describe('a consumer that comes to an event that its build of the app cannot read', () => {
  it('waits before one of a newer form, says so, and goes on with the build that can', async () => {
    const log = createMemoryEventLog();
    await store(log, 'Paid', 1, { cents: 100 });
    await store(log, 'Paid', 2, { euros: 2 });
    await store(log, 'Paid', 1, { cents: 300 });
    const old = await hear(first, log);
    expect([old.heard, old.noted]).toEqual([['Paid {"cents":100}'], ['Paid {"cents":100}']]);
    expect(old.failures).toEqual([
      expect.stringMatching(/^The reactor "ear" failed on the "Paid" event at position 2: .*written by another build/),
      expect.stringMatching(/^The process "scribe" failed on the "Paid" event at position 2: /),
    ]);
    const now = await hear(second, log);
    expect(now.heard).toEqual(['Paid {"euros":2}', 'Paid {"euros":3}']);
    expect(now.noted).toEqual(['Paid {"cents":100}', 'Paid {"euros":2}', 'Paid {"euros":3}']);
    expect(now.failures).toEqual([undefined, undefined]);
  });

  it('waits before one of a type that it does not know: a newer build may have a handler for it', async () => {
    const log = createMemoryEventLog();
    await store(log, 'Refunded', 1, { cents: 5 });
    await store(log, 'Paid', 1, { cents: 100 });
    const old = await hear(first, log);
    expect([old.heard, old.noted]).toEqual([[], []]);
    expect(old.failures[0]).toContain('on the "Refunded" event at position 1');
    const now = await hear(second, log);
    expect(now.heard).toEqual(['Refunded {"cents":5}', 'Paid {"euros":1}']);
    expect(now.noted).toEqual(now.heard);
  });

  it('waits before one that an upcaster throws on, until that is mended', async () => {
    const log = createMemoryEventLog();
    await store(log, 'Paid', 1, { cents: 13 });
    await store(log, 'Paid', 2, { euros: 1 });
    const old = await hear(clumsy, log);
    expect([old.heard, old.noted]).toEqual([[], []]);
    expect(old.failures[1]).toContain('Error: thirteen');
    const now = await hear(second, log);
    expect(now.heard).toEqual(['Paid {"euros":0.13}', 'Paid {"euros":1}']);
    expect(now.noted).toEqual(now.heard);
  });
});
