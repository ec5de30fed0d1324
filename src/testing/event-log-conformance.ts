import type { EventQuery } from '../core/event-query.ts';
import type { RecordedEvent } from '../core/events.ts';
import type { EventLog, NewCommit } from '../log/event-log.ts';
import { assertEqual, assertRejects } from './assert.ts';

/** One promise of the event log, as a test for any runner: `it(name, run)`. */
export interface ConformanceCase {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** Opens a new, empty log; `open` opens the same storage once more, as another tab does. */
export type EventLogFactory = () => Promise<{ readonly log: EventLog; readonly open: () => Promise<EventLog> }>;

/**
 * The promises of `EventLog` as tests. Every implementation passes the same ones.
 *
 * ### Example
 * ```ts
 * for (const { name, run } of eventLogConformance(factory)) it(name, run);
 * ```
 */
export function eventLogConformance(factory: EventLogFactory): readonly ConformanceCase[] {
  const withLog = (run: (log: EventLog, open: () => Promise<EventLog>) => Promise<void>) => async () => {
    const { log, open } = await factory();
    try {
      await run(log, open);
    } finally {
      log.close();
    }
  };
  return Object.entries(cases).map(([name, run]) => ({ name, run: withLog(run) }));
}

const cases: Record<string, (log: EventLog, open: () => Promise<EventLog>) => Promise<void>> = {
  'starts empty': async (log) => {
    assertEqual(await log.head(), 0);
    assertEqual(await readAll(log), []);
    assertEqual(
      await log.write(async (transaction) => [transaction.head, await transaction.revisions(['a-1', 'a-2'])]),
      [0, [-1, -1]],
    );
  },

  'gives back what was appended, with everything around it': async (log) => {
    const recorded = await append(log, 'c1', ['a-1', 'a-1', 'a-2']);
    assertEqual(recorded, [event(1, 'a-1', 0, 'c1', 0), event(2, 'a-1', 1, 'c1', 1), event(3, 'a-2', 0, 'c1', 2)]);
    assertEqual(await readAll(log), recorded);
  },

  'keeps positions and revisions without gaps over many commits': async (log) => {
    for (let index = 0; index < 20; index += 1) await append(log, `c${index}`, [`a-${index % 3}`, 'b-1']);
    const events = await readAll(log);
    assertEqual(
      events.map(({ position }) => position),
      range(1, 40),
    );
    assertEqual(
      events.filter(({ stream }) => stream === 'b-1').map(({ revision }) => revision),
      range(0, 19),
    );
    assertEqual(await log.head(), 40);
  },

  'stores nothing of a write that throws': async (log) => {
    await append(log, 'c1', ['a-1']);
    await assertRejects(
      log.write(async (transaction) => {
        await transaction.append(commit('c2', ['a-1', 'a-2']));
        throw new Error('changed my mind');
      }),
      'changed my mind',
    );
    assertEqual(await log.head(), 1);
    assertEqual((await readAll(log)).length, 1);
    assertEqual(
      (await append(log, 'c3', ['a-1'])).map(({ position, revision }) => [position, revision]),
      [[2, 1]],
    );
  },

  'stores nothing of a commit with one event that JSON cannot carry': async (log) => {
    const events = [streamEvent('a-1', 0), { ...streamEvent('a-1', 1), data: { when: new Date(0) } }];
    await assertRejects(
      log.write((transaction) => transaction.append({ ...commit('c1', []), events })),
      '"when" is a Date',
    );
    assertEqual(await log.head(), 0);
  },

  'refuses an event larger than 64 KiB and a commit without events': async (log) => {
    const events = [{ ...streamEvent('a-1', 0), data: { text: 'x'.repeat(65_536) } }];
    await assertRejects(
      log.write((transaction) => transaction.append({ ...commit('c1', []), events })),
      'larger than',
    );
    await assertRejects(
      log.write((transaction) => transaction.append(commit('c1', []))),
      'holds no event',
    );
    assertEqual(await log.head(), 0);
  },

  'shows a write its own appends': async (log) => {
    await append(log, 'c1', ['a-1']);
    await log.write(async (transaction) => {
      await transaction.append(commit('c2', ['a-1', 'a-2']));
      assertEqual(transaction.head, 3);
      assertEqual(await transaction.revisions(['a-1', 'a-2', 'a-3']), [1, 0, -1]);
      assertEqual(
        (await transaction.readStream('a-1', 0)).map(({ position }) => position),
        [1, 2],
      );
      assertEqual((await transaction.findCommit('c2'))?.length, 2);
      await transaction.append(commit('c3', ['a-1']));
    });
    assertEqual(
      (await readAll(log)).map(({ revision }) => revision),
      [0, 1, 0, 2],
    );
  },

  'runs writes one after the other, whoever asks': async (log, open) => {
    const other = await open();
    const count = async (writer: EventLog, writerName: string) => {
      for (let index = 0; index < 25; index += 1) {
        await writer.write(async (transaction) => {
          const [revision] = await transaction.revisions(['a-1']);
          const seen = await transaction.readStream('a-1', 0);
          assertEqual(seen.length, (revision ?? -1) + 1);
          await transaction.append(commit(`${writerName}-${index}`, ['a-1']));
        });
      }
    };
    await Promise.all([count(log, 'one'), count(other, 'two')]);
    const events = await readAll(log);
    assertEqual(
      events.map(({ position }) => position),
      range(1, 50),
    );
    assertEqual(
      events.map(({ revision }) => revision),
      range(0, 49),
    );
    assertEqual(await readAll(other), events);
    if (other !== log) other.close();
  },

  'is found as it was when opened again': async (log, open) => {
    await append(log, 'c1', ['a-1', 'a-2']);
    const again = await open();
    assertEqual(again.logId, log.logId);
    assertEqual(await readAll(again), await readAll(log));
    if (again !== log) again.close();
  },

  'keeps a write open over a turn of the event loop': async (log) => {
    await log.write(async (transaction) => {
      await transaction.append(commit('c1', ['a-1']));
      await transaction.turn();
      await transaction.append(commit('c2', ['a-1']));
    });
    assertEqual(await log.head(), 2);
  },

  'finds a commit by its command id over the whole history': async (log) => {
    for (let index = 0; index < 10; index += 1) await append(log, `c${index}`, ['a-1', 'a-2']);
    await log.write(async (transaction) => {
      const found = await transaction.findCommit('c3');
      assertEqual(
        found?.map(({ position }) => position),
        [7, 8],
      );
      assertEqual(await transaction.findCommit('c10'), undefined);
    });
  },

  'keeps a long commit whole and in order': async (log) => {
    const streams = range(0, 999).map((index) => `a-${index % 7}`);
    const recorded = await append(log, 'long', streams);
    assertEqual(recorded.length, 1000);
    assertEqual(await readAll(log), recorded);
    await log.write(async (transaction) => {
      assertEqual(await transaction.findCommit('long'), recorded);
      assertEqual(
        (await transaction.readStream('a-3', 100)).map(({ revision }) => revision),
        range(100, 142),
      );
    });
    assertEqual(
      (await readAll(log, { stream: 'a-3' })).map(({ revision }) => revision),
      range(0, 142),
    );
  },

  'reads by stream, type and position, forwards and backwards, with a limit': async (log) => {
    for (let index = 0; index < 30; index += 1) await append(log, `c${index}`, [`a-${index % 2}`, 'b-1', 'b-1']);
    await append(
      log,
      'long',
      range(0, 599).map(() => 'b-2'),
    );
    const all = await readAll(log);
    const queries: EventQuery[] = [
      { stream: 'a-1' },
      { stream: 'b-1', backwards: true, limit: 7 },
      { stream: 'b-1', from: 20, to: 50 },
      { stream: 'b-2', backwards: true, from: 100, to: 400, limit: 250 },
      { stream: 'none' },
      { types: ['Odd'] },
      { types: ['Odd'], backwards: true, limit: 5 },
      { from: 31, to: 33 },
      { from: 31, to: 33, backwards: true },
      { from: 95, to: 300, backwards: true },
      { backwards: true, limit: 1 },
      { backwards: true, to: 500, limit: 3 },
      { limit: 0 },
      { from: 691 },
      { to: 0 },
    ];
    for (const query of queries) assertEqual(await readAll(log, query), naive(all, query), JSON.stringify(query));
  },

  'keeps texts, numbers and nesting as they were': async (log) => {
    const data = { text: 'Žluťoučký kůň 🐎 \u2028 "\\', list: [0.1, -5, 1e-7, null, true, { deep: [[]] }] };
    await log.write((transaction) =>
      transaction.append({ ...commit('c1', []), events: [{ stream: 'a-ä.ö', type: 'Noted', version: 3, data }] }),
    );
    const [stored] = await readAll(log);
    assertEqual([stored?.stream, stored?.version, stored?.data], ['a-ä.ö', 3, data]);
  },

  'keeps correlation and causation': async (log) => {
    await log.write((transaction) =>
      transaction.append({ ...commit('c1', ['a-1']), correlationId: 'root', causationId: 'cause' }),
    );
    const [stored] = await readAll(log);
    assertEqual(stored?.meta, { commandId: 'c1', correlationId: 'root', causationId: 'cause', recordedAt: 1000 });
  },
};

function commit(commandId: string, streams: readonly string[]): NewCommit {
  return { commandId, correlationId: commandId, recordedAt: 1000, events: streams.map(streamEvent) };
}

function streamEvent(stream: string, index: number) {
  return { stream, type: index % 2 === 0 ? 'Even' : 'Odd', version: 1, data: { index } };
}

function event(position: number, stream: string, revision: number, commandId: string, index: number): RecordedEvent {
  const meta = { commandId, correlationId: commandId, recordedAt: 1000 };
  return { id: `${commandId}.${index}`, revision, position, meta, ...streamEvent(stream, index) };
}

function append(log: EventLog, commandId: string, streams: readonly string[]): Promise<readonly RecordedEvent[]> {
  return log.write((transaction) => transaction.append(commit(commandId, streams)));
}

async function readAll(log: EventLog, query: EventQuery = {}): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const page of log.read(query)) events.push(...page);
  return events;
}

function naive(all: readonly RecordedEvent[], query: EventQuery): RecordedEvent[] {
  const found = all.filter(
    ({ stream, type, position }) =>
      (query.stream === undefined || query.stream === stream) &&
      (query.types === undefined || query.types.includes(type)) &&
      position >= (query.from ?? 0) &&
      position <= (query.to ?? all.length),
  );
  if (query.backwards) found.reverse();
  return found.slice(0, query.limit ?? found.length);
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
