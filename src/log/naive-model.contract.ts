import fc from 'fast-check';
import { describe, it } from 'vitest';
import type { EventFilter, EventQuery } from '../core/event-query.ts';
import type { RecordedEvent } from '../core/events.ts';
import { assertEqual } from '../testing/assert.ts';
import { failureOf, readAll, readAllCommits } from '../testing/conformance/log-access.ts';
import { filterOf, recordedOf } from '../testing/conformance/sample-commits.ts';
import { type DexieEventLog, openDexieEventLog } from './dexie-event-log.ts';
import type { AppendCondition, EventLog, NewCommit } from './event-log.ts';

/** Of the runs: so many sequences of so many steps, and the seed that they are drawn with. */
export interface ModelRuns {
  readonly runs: number;
  readonly steps: number;
  readonly seed: number;
}

const env = { now: () => 0, newId: () => crypto.randomUUID().replaceAll('-', '') };

const streams = ['a-1', 'a-2', 'b-1', 'ž-ž'];
const types = ['Even', 'Odd', 'Rare'];
const tags = ['t:1', 't:2', 'u:é'];

const filter: fc.Arbitrary<EventFilter> = fc.record(
  {
    stream: fc.constantFrom(...streams, 'none'),
    types: fc.subarray([...types, 'None']),
    tags: fc.subarray([...tags, 'none'], { maxLength: 2 }),
  },
  { requiredKeys: [] },
);

/** Positions as shares of the log, so that they fit it at any length. */
const share = fc.double({ min: 0, max: 1.05, noNaN: true });

const query = fc.record(
  {
    filter,
    anyOf: fc.array(filter, { maxLength: 3 }),
    from: share,
    to: share,
    since: fc.integer({ min: 0, max: 50 }),
    until: fc.integer({ min: 0, max: 50 }),
    backwards: fc.boolean(),
    limit: fc.integer({ min: 0, max: 30 }),
  },
  { requiredKeys: [] },
);

const event = fc.record(
  {
    stream: fc.constantFrom(...streams),
    type: fc.constantFrom(...types),
    version: fc.integer({ min: 1, max: 3 }),
    data: fc.oneof(fc.integer(), fc.string({ unit: 'grapheme', maxLength: 12 }), fc.record({ by: fc.integer() })),
    tags: fc.subarray(tags),
  },
  { requiredKeys: ['stream', 'type', 'version', 'data'] },
);

const commit = fc.record({
  events: fc.array(event, { minLength: 1, maxLength: 4 }),
  recordedAt: fc.integer({ min: 0, max: 50 }),
  /** A command id that was used before. */
  repeats: fc.option(share, { freq: 5 }),
  /** What the commit expects: right, or wrong by one. */
  expects: fc.option(fc.constantFrom('right', 'wrong'), { freq: 3 }),
  fails: fc.option(fc.record({ anyOf: fc.array(filter, { minLength: 1, maxLength: 2 }), after: share }), { freq: 3 }),
});

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      commits: fc.array(commit, { maxLength: 4 }),
      throws: fc.boolean(),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('read' as const), query }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('fill' as const),
      count: fc.integer({ min: 1, max: 700 }),
      perCommit: fc.constantFrom(1, 3, 600),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rest' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('verify' as const) }) },
);

type Drawn<Drawer> = Drawer extends fc.Arbitrary<infer Value> ? Value : never;
type Step = Drawn<typeof step>;
type WriteStep = Extract<Step, { kind: 'write' }>;

/** T9: whatever is written and read in whatever order, by two who have it open, is what a list of commits says. */
export function describeModel({ runs, steps, seed }: ModelRuns): void {
  describe('the log and a naive model of it', () => {
    it(`agree after each of up to ${steps} random steps, ${runs} times (seed ${seed})`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.constantFrom(0 as const, 1 as const), step), {
            minLength: 1,
            maxLength: steps,
            size: 'max',
          }),
          runSteps,
        ),
        { numRuns: runs, seed },
      );
    }, 600_000);
  });
}

async function runSteps(steps: readonly (readonly [0 | 1, Step])[]): Promise<void> {
  const name = `model-${crypto.randomUUID()}`;
  const open = () => openDexieEventLog({ name, env });
  const logs: [DexieEventLog, DexieEventLog] = [await open(), await open()];
  const commits: NewCommit[] = [];
  let lastId = 0;
  const newId = () => {
    lastId += 1;
    return `command-${lastId}`;
  };
  try {
    for (const [index, [opened, each]] of steps.entries()) {
      const log = logs[opened];
      const about = `step ${index} (${each.kind})`;
      switch (each.kind) {
        case 'write':
          await write(log, each, commits, newId, about);
          break;
        case 'fill':
          await fill(log, each, commits, newId);
          break;
        case 'read': {
          const all = recordedOf(commits);
          const wanted = toQuery(each.query, all.length);
          assertEqual(await readAll(log, wanted), filterOf(all, wanted), `${about} ${JSON.stringify(wanted)}`);
          break;
        }
        case 'rest':
          // The tail is sealed in the background, 50 ms after a write.
          await new Promise((resolve) => setTimeout(resolve, 80));
          break;
        case 'reopen':
          log.close();
          logs[opened] = await open();
          break;
        case 'verify':
          assertEqual(await log.verify(), { status: 'verified', events: recordedOf(commits).length }, about);
      }
      await compareEnds(logs[opened], commits, about);
    }
    const all = recordedOf(commits);
    for (const log of logs) {
      assertEqual(await readAll(log), all, 'at the end');
      const stored = await readAllCommits(log);
      assertEqual(
        stored.map(({ commandId }) => commandId),
        commits.map(({ commandId }) => commandId),
        'commits',
      );
      assertEqual(await log.verify(), { status: 'verified', events: all.length }, 'at the end');
    }
  } finally {
    for (const log of logs) log.close();
    indexedDB.deleteDatabase(name);
  }
}

/** One write of several commits; what each should come to follows from the list alone. */
async function write(
  log: EventLog,
  { commits, throws }: WriteStep,
  stored: NewCommit[],
  newId: () => string,
  about: string,
): Promise<void> {
  // Drawn before, for the work may be run again.
  const drawn = commits.map(({ repeats, ...rest }) => {
    const old = repeats === null ? undefined : stored[Math.floor(repeats * stored.length)];
    return { ...rest, commandId: old?.commandId ?? newId() };
  });
  const outcome = await log
    .write(async (transaction) => {
      const now = [...stored];
      for (const { commandId, events, recordedAt, expects, fails } of drawn) {
        const all = recordedOf(now);
        const found = await transaction.findCommit(commandId);
        const own = all.filter(({ meta }) => meta.commandId === commandId);
        assertEqual(found, own.length === 0 ? undefined : own, `${about}: the commit of "${commandId}"`);
        if (found !== undefined) continue;
        const commit = { commandId, correlationId: commandId, recordedAt, events };
        const condition = toCondition(expects, fails, events[0]?.stream ?? '', all);
        const refused = refusalOf(condition, all);
        const appended = transaction.append(commit, condition);
        if (refused === undefined) {
          now.push(commit);
          assertEqual(await appended, recordedOf(now).slice(all.length), `${about}: what was appended`);
        } else {
          const failure = await failureOf(appended);
          assertEqual(typeof failure === 'string' ? failure : failure.type, refused, `${about}: the condition`);
        }
        assertEqual(transaction.head, recordedOf(now).length, `${about}: the head in the write`);
        const stream = events[0]?.stream ?? '';
        assertEqual(
          await transaction.readStream(stream, 1),
          recordedOf(now).filter((each) => each.stream === stream && each.revision >= 1),
          `${about}: the stream in the write`,
        );
      }
      if (throws) throw new Error('Thought better of it.');
      return now;
    })
    .catch((error: unknown) => {
      if (throws && String(error).includes('Thought better of it.')) return undefined;
      throw error;
    });
  if (outcome !== undefined) stored.splice(0, stored.length, ...outcome);
}

async function fill(
  log: EventLog,
  { count, perCommit }: { readonly count: number; readonly perCommit: number },
  stored: NewCommit[],
  newId: () => string,
): Promise<void> {
  const fresh = Array.from({ length: Math.ceil(count / perCommit) }, (_, turn): NewCommit => {
    const commandId = newId();
    const events = Array.from({ length: perCommit }, (_unused, index) => ({
      stream: streams[(turn + index) % streams.length] ?? '',
      type: types[index % 2] ?? '',
      version: 1,
      data: { turn, note: 'ů'.repeat(index % 40) },
    }));
    return { commandId, correlationId: commandId, recordedAt: turn % 50, events };
  });
  await log.write(async (transaction) => {
    for (const each of fresh) await transaction.append(each);
  });
  stored.push(...fresh);
}

async function compareEnds(log: EventLog, commits: readonly NewCommit[], about: string): Promise<void> {
  const all = recordedOf(commits);
  assertEqual(await log.head(), all.length, `${about}: the head`);
  const revisions = [...streams, 'none'].map(
    (stream) => all.findLast((each) => each.stream === stream)?.revision ?? -1,
  );
  assertEqual(await log.revisions([...streams, 'none']), revisions, `${about}: the revisions`);
}

function toQuery(drawn: Drawn<typeof query>, length: number): EventQuery {
  const { filter: own = {}, from, to, ...rest } = drawn;
  return {
    ...own,
    ...rest,
    ...(from === undefined ? {} : { from: Math.round(from * length) }),
    ...(to === undefined ? {} : { to: Math.round(to * length) }),
  };
}

function toCondition(
  expects: 'right' | 'wrong' | null,
  fails: { readonly anyOf: readonly EventFilter[]; readonly after: number } | null,
  stream: string,
  all: readonly RecordedEvent[],
): AppendCondition {
  const revision = all.findLast((each) => each.stream === stream)?.revision ?? -1;
  return {
    ...(expects === null ? {} : { expectedRevisions: { [stream]: expects === 'right' ? revision : revision + 1 } }),
    ...(fails === null ? {} : { failIfEventsMatch: fails.anyOf, after: Math.floor(fails.after * all.length) }),
  };
}

/** What an append with this condition is refused with, if it is. */
function refusalOf(condition: AppendCondition, all: readonly RecordedEvent[]): string | undefined {
  for (const [stream, expected] of Object.entries(condition.expectedRevisions ?? {})) {
    if ((all.findLast((each) => each.stream === stream)?.revision ?? -1) !== expected) return 'stream.conflict';
  }
  const { failIfEventsMatch = [], after = 0 } = condition;
  if (failIfEventsMatch.length === 0) return undefined;
  return filterOf(all, { anyOf: failIfEventsMatch, from: after + 1 }).length > 0 ? 'append.conflict' : undefined;
}
