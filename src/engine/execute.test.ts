import 'fake-indexeddb/auto';
import { describe, expect, it } from 'vitest';
import { createClient } from '../client/client.ts';
import {
  command,
  defineAggregate,
  defineApp,
  defineDecision,
  defineEvents,
  type RecordedEvent,
  reject,
  shape,
  view,
} from '../core/index.ts';
import { openDexieEventLog } from '../log/dexie-event-log.ts';
import type { EventLog, LogTransaction } from '../log/event-log.ts';
import { createMemoryEventLog } from '../log/memory-event-log.ts';
import { createInProcessWorker, createTestEnv } from '../testing/in-process-worker.ts';

const EchoEvents = defineEvents({ Said: shape<{ readonly text: string }>() });

const Echo = defineAggregate('echo', {
  events: EchoEvents,
  initialState: () => ({ seen: [] as readonly RecordedEvent[] }),
  evolve: { Said: ({ seen }, event) => ({ seen: [...seen, event] }) },
  commands: {
    say: {
      input: shape<readonly string[]>(),
      decide: (texts) => texts.map((text) => ({ ...EchoEvents.Said({ text }), tags: ['to:b', 'to:a', 'to:b'] })),
    },
    show: { input: shape<Record<string, never>>(), decide: (_input, { seen }) => reject('seen', { seen }) },
  },
});

const Mute = defineAggregate('mute', {
  events: EchoEvents,
  initialState: () => 0,
  evolve: { Said: (count) => count + 1 },
  commands: { hum: { input: shape<Record<string, never>>(), decide: () => EchoEvents.Said({ text: '' }) } },
});

const app = defineApp({ name: 'echo', aggregates: [Echo, Mute], projections: [] });

describe('evolve', () => {
  it('sees an event as it is decided just as in every replay: tags, lineage and place', async () => {
    const log = createMemoryEventLog();
    const open = () =>
      createClient(app, () => createInProcessWorker({ app, log: log.open() }), { askToPersist: false });
    const seenBy = async (client: ReturnType<typeof open>) => {
      const receipt = await client.execute(Echo, 'a', 'show', {});
      return receipt.status === 'rejected' && 'details' in receipt.rejection && receipt.rejection.details;
    };
    const live = open();
    await live.execute(Echo, 'other', 'say', ['first']);
    await live.execute(Echo, 'a', 'say', ['one', 'two'], {
      commandId: 'c1',
      correlationId: 'root',
      causationId: 'cause',
    });
    await live.execute(Echo, 'a', 'say', ['three']);
    const seen = await seenBy(live);
    expect(seen).toMatchObject({
      seen: [
        { position: 2, tags: ['to:a', 'to:b'], meta: { commandId: 'c1', correlationId: 'root', causationId: 'cause' } },
        { position: 3 },
        { position: 4 },
      ],
    });
    await live.close();
    const later = open();
    expect(await seenBy(later)).toEqual(seen);
    const tagged: string[] = [];
    for await (const { data } of later.read({ tags: ['to:b'] })) tagged.push((data as { text: string }).text);
    expect(tagged).toEqual(['first', 'one', 'two', 'three']);
    await later.close();
  });

  it('sees a payload as it is stored: its keys sorted, and all of it frozen', async () => {
    const Events = defineEvents({ Told: shape<{ readonly z: number; readonly a: object }>() });
    const Keys = defineAggregate('keys', {
      events: Events,
      initialState: () => ({ seen: '' }),
      evolve: {
        Told: (_state, { data }) => ({
          seen: `${JSON.stringify(data)} ${Object.isFrozen(data)} ${Object.isFrozen(data.a)}`,
        }),
      },
      commands: {
        tell: { input: shape<object>(), decide: () => Events.Told({ z: 1, a: { y: 1, b: 2 } }) },
        show: { input: shape<object>(), decide: (_input, { seen }) => reject('seen', { seen }) },
      },
    });
    const keys = defineApp({ name: 'keys', aggregates: [Keys], projections: [] });
    const log = createMemoryEventLog();
    const open = () =>
      createClient(keys, () => createInProcessWorker({ app: keys, log: log.open() }), { askToPersist: false });
    const seen = { rejection: { details: { seen: '{"a":{"b":2,"y":1},"z":1} true true' } } };
    const live = open();
    await live.execute(Keys, 'k', 'tell', {});
    expect(await live.execute(Keys, 'k', 'show', {})).toMatchObject(seen);
    await live.close();
    const later = open();
    expect(await later.execute(Keys, 'k', 'show', {})).toMatchObject(seen);
    await later.close();
  });
});

describe('a rule of the app that throws what a browser throws', () => {
  const btoaOf = (text: string) => {
    btoa(text);
    return true;
  };
  const throwing = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value: unknown) => ({ value: btoaOf(String(value)) && value }),
    },
  } as const;
  const Throwing = defineAggregate('throwing', {
    events: EchoEvents,
    initialState: () => ({}),
    evolve: { Said: (state, { data }) => (btoaOf(data.text) ? state : {}) },
    commands: {
      parse: { input: throwing, decide: () => [] },
      decide: { input: shape<string>(), decide: (text) => (btoaOf(text) ? [] : []) },
      evolve: { input: shape<string>(), decide: (text) => EchoEvents.Said({ text }) },
    },
  });
  const said = view({ from: [EchoEvents], initialState: () => 0, on: { Said: () => Number(btoaOf('ž')) } });
  const across = defineDecision('across', {
    events: EchoEvents,
    input: shape<string>(),
    reads: () => ({ said: said() }),
    decide: () => [],
  });

  it('is a bug of the app, and no failure of the storage', async () => {
    const rules = defineApp({ name: 'rules', aggregates: [Throwing, Mute], decisions: [across], projections: [] });
    const env = createTestEnv();
    const log = await openDexieEventLog({ name: 'rules', env });
    const client = createClient(rules, () => createInProcessWorker({ app: rules, log, env }), { askToPersist: false });
    await client.execute(Mute, 'm', 'hum', {});
    for (const name of ['parse', 'decide', 'evolve'] as const) {
      await expect(client.execute(Throwing, 'a', name, 'ž'), name).rejects.toThrow('InvalidCharacterError');
    }
    await expect(client.execute(across, '')).rejects.toThrow('InvalidCharacterError');
    await client.close();
    log.close();
  });
});

describe('a commit', () => {
  it('may be larger than what can be passed as arguments of one call', async () => {
    const count = 200_000;
    const log = createMemoryEventLog();
    const client = createClient(app, () => createInProcessWorker({ app, log: log.open() }), { askToPersist: false });
    const commands = Array.from({ length: count }, () => command(Mute, 'm', 'hum', {}));
    expect(await client.execute(commands)).toMatchObject({ status: 'saved', events: count, position: count });
    await client.close();
  }, 30_000);

  it('can be cancelled until it is stored, and those that were sent with it are saved all the same', async () => {
    const log = createMemoryEventLog();
    const controller = new AbortController();
    // The page cancels when all is decided and appended, and nothing is stored.
    const cancelling: EventLog = Object.create(log, {
      write: {
        value: ((work, options) =>
          log.write((transaction) => {
            const append: LogTransaction['append'] = async (...input) => {
              const recorded = await transaction.append(...input);
              if (recorded.length > 1) controller.abort();
              return recorded;
            };
            return work(Object.create(transaction, { append: { value: append } }));
          }, options)) satisfies EventLog['write'],
      },
    });
    const client = createClient(app, () => createInProcessWorker({ app, log: cancelling }), { askToPersist: false });
    await client.execute(Mute, 'm', 'hum', {});
    const commands = Array.from({ length: 1000 }, () => command(Mute, 'm', 'hum', {}));
    const [beside, long] = await Promise.all([
      client.execute(Mute, 'other', 'hum', {}),
      client.execute(commands, { signal: controller.signal }),
    ]);
    expect(long).toMatchObject({ status: 'failed', failure: { type: 'engine.cancelled' } });
    expect(beside).toMatchObject({ status: 'saved', position: 2 });
    expect(await client.execute(Mute, 'm', 'hum', {})).toMatchObject({ revision: 1, position: 3 });
    expect(client.status.getState().failure).toBeUndefined();
    await client.close();
  });
});

describe('a command that decides nothing', () => {
  it('keeps the state that it loaded for the next one', async () => {
    let evolved = 0;
    const Quiet = defineAggregate('quiet', {
      events: EchoEvents,
      initialState: () => ({ count: 0 }),
      evolve: {
        Said: ({ count }) => {
          evolved += 1;
          return { count: count + 1 };
        },
      },
      commands: {
        say: { input: shape<Record<string, never>>(), decide: () => EchoEvents.Said({ text: '' }) },
        look: { input: shape<Record<string, never>>(), decide: () => [] },
      },
    });
    const quiet = defineApp({ name: 'quiet', aggregates: [Quiet], projections: [] });
    const log = createMemoryEventLog();
    const open = () =>
      createClient(quiet, () => createInProcessWorker({ app: quiet, log: log.open() }), { askToPersist: false });
    const writer = open();
    for (let turn = 0; turn < 3; turn += 1) await writer.execute(Quiet, 'a', 'say', {});
    await writer.close();
    evolved = 0;
    const reader = open();
    for (let turn = 0; turn < 3; turn += 1) await reader.execute(Quiet, 'a', 'look', {});
    expect(evolved).toBe(3);
    await reader.close();
  });
});
