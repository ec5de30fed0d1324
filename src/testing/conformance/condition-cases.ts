import type { EventFilter } from '../../core/event-query.ts';
import type { AppendCondition, EventLog, NewCommit } from '../../log/event-log.ts';
import { assertEqual, assertResolves } from '../assert.ts';
import type { ConformanceCases } from './conformance-case.ts';
import { append, failureOf, positionsOf, readAll } from './log-access.ts';
import { commitOf, eventOf, range } from './sample-commits.ts';

/** Conditions of appends: expected revisions, and the Dynamic Consistency Boundary (dcb.events). */
export const conditionCases: ConformanceCases = {
  'appends where streams have the expected revisions': async ({ log }) => {
    await assertAppends(log, commitOf('c1', ['a-1', 'a-1', 'a-2']), { expectedRevisions: { 'a-1': -1, 'a-2': -1 } });
    await assertAppends(log, commitOf('c2', ['a-1']), { expectedRevisions: { 'a-1': 1 } });
    await assertAppends(log, commitOf('c3', ['a-1']), { expectedRevisions: { 'a-1': 2, 'a-2': 0, 'a-3': -1 } });
    await assertAppends(log, commitOf('c4', ['a-1']), { expectedRevisions: {} });
    await assertAppends(log, commitOf('c5', ['a-1']), {});
    assertEqual(await log.revisions(['a-1']), [5]);
  },

  'refuses an append where a stream has another revision than expected': async ({ log }) => {
    await append(log, commitOf('c1', ['a-1', 'a-1', 'a-2']));
    const wrong: readonly [{ [stream: string]: number }, string, number, number][] = [
      [{ 'a-1': 0 }, 'a-1', 0, 1],
      [{ 'a-1': 2 }, 'a-1', 2, 1],
      [{ 'a-1': -1 }, 'a-1', -1, 1],
      [{ 'a-1': 1, 'a-2': 1 }, 'a-2', 1, 0],
      [{ none: 0 }, 'none', 0, -1],
    ];
    for (const [expectedRevisions, stream, expected, actual] of wrong) {
      await assertStreamConflict(log, { expectedRevisions }, { stream, expected, actual });
    }
    assertEqual(await log.head(), 3);
  },

  'checks the expected revision of a stream that the commit does not touch': async ({ log }) => {
    await append(log, commitOf('c1', ['rules']));
    await append(log, commitOf('c2', ['a-1']), { expectedRevisions: { rules: 0 } });
    await append(log, commitOf('c3', ['rules']));
    const condition = { expectedRevisions: { rules: 0 } };
    await assertStreamConflict(log, condition, { stream: 'rules', expected: 0, actual: 1 });
    assertEqual(await log.revisions(['a-1', 'rules']), [0, 1]);
  },

  'lets one of two writers win that expect the same revision': async ({ log, open }) => {
    await assertOneWins(log, await open(), async (writer) => {
      const [revision = -1] = await writer.revisions(['a-1']);
      return { expectedRevisions: { 'a-1': revision } };
    });
  },

  'reads in a write what matches any of its filters after a position, with what it appends': async ({ log, open }) => {
    await appendFour(log);
    const reader = await open();
    const readings: readonly [EventFilter[], number, readonly number[]][] = [
      [[{ types: ['A'] }], 0, [1, 3]],
      [[{ types: ['A'] }], 1, [3]],
      [[{ tags: ['y'] }, { types: ['C'] }], 0, [2, 3, 4]],
      [[{ tags: ['x', 'y'] }, { stream: 's-2' }], 0, [2, 3]],
      [[{ types: ['A'], tags: ['y'] }], 0, [3]],
      [[{}], 2, [3, 4]],
      [[{}], 4, []],
      [[], 0, []],
    ];
    await reader.write(async (transaction) => {
      for (const [filters, after, positions] of readings) {
        const found = await transaction.readMatching(filters, after);
        assertEqual(positionsOf(found), positions, JSON.stringify(filters));
      }
      await transaction.append(
        commitOf('own', [], { events: [eventOf({ type: 'A', tags: ['y'] }), eventOf({ type: 'B' })] }),
      );
      assertEqual(positionsOf(await transaction.readMatching([{ types: ['A'] }], 1)), [3, 5]);
      assertEqual(positionsOf(await transaction.readMatching([{ tags: ['y'], types: ['B'] }], 0)), [2]);
    });
    // Over many segments, too.
    for (const round of range(1, 30)) {
      await append(log, commitOf(`more-${round}`, [], { events: [eventOf({ type: 'A', tags: [`t-${round % 3}`] })] }));
    }
    const found = await log.write((transaction) => transaction.readMatching([{ tags: ['t-1'] }], 10));
    assertEqual(
      positionsOf(found),
      range(7, 36).filter((position) => position % 3 === 1 && position > 10),
    );
  },

  'refuses an append where an event after a position matches a filter': async ({ log }) => {
    await appendFour(log);
    const conflicts: readonly [EventFilter[], number | undefined, number][] = [
      // By one name each: type, tag, stream.
      [[{ types: ['A'] }], undefined, 1],
      [[{ tags: ['y'] }], 0, 2],
      [[{ stream: 's-2' }], 0, 3],
      [[{ types: ['A'] }], 1, 3],
      // Filters of one condition are alternatives, and so are the types of one filter.
      [[{ types: ['C'] }, { types: ['B'] }], 0, 2],
      [[{ types: ['none'] }, { types: ['C'] }], 0, 4],
      [[{ types: ['C', 'B'] }], 0, 2],
      [[{ tags: ['none'] }, { stream: 's-2' }, { tags: ['none'] }], 0, 3],
      // The tags of one filter must all be there, and its fields must all hold.
      [[{ tags: ['x', 'y'] }], 0, 2],
      [[{ types: ['A'], tags: ['y'] }], 0, 3],
      [[{ types: ['A'], stream: 's-2' }], 0, 3],
      // A filter without fields matches every event.
      [[{}], 0, 1],
      [[{}], 3, 4],
      [[{ tags: [] }], 2, 3],
    ];
    for (const [failIfEventsMatch, after, position] of conflicts) {
      const condition = after === undefined ? { failIfEventsMatch } : { failIfEventsMatch, after };
      await assertAppendConflict(log, condition, position);
    }
    assertEqual(await log.head(), 4);
  },

  'appends where no event after a position matches a filter': async ({ log }) => {
    await appendFour(log);
    const conditions: AppendCondition[] = [
      { failIfEventsMatch: [] },
      { failIfEventsMatch: [], after: 0 },
      { failIfEventsMatch: [{ types: ['none'] }] },
      { failIfEventsMatch: [{ types: [] }] },
      { failIfEventsMatch: [{ tags: ['none'] }, { stream: 'none' }] },
      { failIfEventsMatch: [{ tags: ['x', 'none'] }] },
      { failIfEventsMatch: [{ tags: ['x', 'y'] }], after: 2 },
      { failIfEventsMatch: [{ stream: 's-1', types: ['C'] }] },
      { failIfEventsMatch: [{ stream: 's-2', tags: ['x'] }] },
      { failIfEventsMatch: [{ types: ['B'], tags: ['x'], stream: 's-2' }] },
      { failIfEventsMatch: [{ types: ['A', 'B'] }], after: 3 },
      { failIfEventsMatch: [{ types: ['A'] }], after: 4 },
    ];
    for (const [index, condition] of conditions.entries()) {
      await assertAppends(log, commitOf(`probe-${index}`, ['probe']), condition);
    }
    assertEqual(await log.head(), 4 + conditions.length);
  },

  'takes the position after which a condition looks as seen': async ({ log }) => {
    await appendFour(log);
    const failIfEventsMatch = [{ types: ['B'] }];
    await assertAppendConflict(log, { failIfEventsMatch, after: 1 }, 2);
    await assertAppends(log, commitOf('c5', ['probe']), { failIfEventsMatch, after: 2 });
    await assertAppendConflict(log, { failIfEventsMatch: [{}], after: 4 }, 5);
    await assertAppends(log, commitOf('c6', ['probe']), { failIfEventsMatch: [{}], after: 5 });
  },

  'checks a condition against everything after its position, however long ago': async ({ log }) => {
    for (const part of range(0, 4)) {
      const events = range(1, 500).map((index) => eventOf({ stream: `a-${index % 9}`, tags: [`t${part}-${index}`] }));
      await append(log, commitOf(`c${part}`, [], { events }));
    }
    for (const [tag, position] of [['t0-1', 1] as const, ['t0-7', 7] as const, ['t2-250', 1250] as const]) {
      const failIfEventsMatch = [{ types: ['none'] }, { tags: [tag] }];
      await assertAppendConflict(log, { failIfEventsMatch }, position);
      await assertAppendConflict(log, { failIfEventsMatch, after: position - 1 }, position);
      await assertAppends(log, commitOf(`probe-${tag}`, ['probe']), { failIfEventsMatch, after: position });
    }
  },

  'counts the earlier appends of the same write for a condition': async ({ log }) => {
    await log.write(async (transaction) => {
      const tagged = { events: [eventOf({ stream: 'a-1', tags: ['x'] })] };
      await transaction.append(commitOf('c1', [], tagged));
      const failIfEventsMatch = [{ tags: ['x'] }];
      const unseen = await failureOf(transaction.append(commitOf('c2', ['a-2']), { failIfEventsMatch }));
      assertEqual(typeof unseen === 'string' ? unseen : unseen.type, 'append.conflict');
      const stale = await failureOf(transaction.append(commitOf('c3', ['a-2']), { expectedRevisions: { 'a-1': -1 } }));
      assertEqual(typeof stale === 'string' ? stale : stale.type, 'stream.conflict');
      const condition = { failIfEventsMatch, after: transaction.head, expectedRevisions: { 'a-1': 0, 'a-2': -1 } };
      await transaction.append(commitOf('c4', ['a-2']), condition);
    });
    assertEqual(
      (await readAll(log)).map(({ id, position, revision }) => [id, position, revision]),
      [
        ['c1.0', 1, 0],
        ['c4.0', 2, 0],
      ],
    );
  },

  'lets one of two writers win that have seen the same': async ({ log, open }) => {
    await assertOneWins(log, await open(), async (writer) => ({
      failIfEventsMatch: [{ types: ['Even'], stream: 'a-1' }],
      after: await writer.head(),
    }));
  },
};

/** 1: A of s-1 (x) · 2: B of s-1 (x, y) · 3: A of s-2 (y) · 4: C of s-3, without tags. */
async function appendFour(log: EventLog): Promise<void> {
  const events = [
    eventOf({ stream: 's-1', type: 'A', tags: ['x'] }),
    eventOf({ stream: 's-1', type: 'B', tags: ['x', 'y'] }),
    eventOf({ stream: 's-2', type: 'A', tags: ['y'] }),
    eventOf({ stream: 's-3', type: 'C' }),
  ];
  await append(log, commitOf('c1', [], { events: events.slice(0, 2) }));
  await append(log, commitOf('c2', [], { events: events.slice(2) }));
}

/** Both look, then both append on what they saw, at the same time: ten times over. */
async function assertOneWins(
  one: EventLog,
  two: EventLog,
  look: (writer: EventLog) => Promise<AppendCondition>,
): Promise<void> {
  for (const round of range(1, 10)) {
    const conditions = await Promise.all([look(one), look(two)]);
    const outcomes = await Promise.all([
      failureOf(append(one, commitOf(`one-${round}`, ['a-1']), conditions[0])),
      failureOf(append(two, commitOf(`two-${round}`, ['a-1']), conditions[1])),
    ]);
    const won = outcomes.filter((outcome) => outcome === 'it resolved').length;
    assertEqual(won, 1, `writers that won round ${round}, of two on the same condition`);
  }
  assertEqual(positionsOf(await readAll(one)), range(1, 10));
}

async function assertAppends(log: EventLog, commit: NewCommit, condition: AppendCondition): Promise<void> {
  await assertResolves(append(log, commit, condition), `an append on ${JSON.stringify(condition)}`);
}

async function assertStreamConflict(
  log: EventLog,
  condition: AppendCondition,
  expected: { readonly stream: string; readonly expected: number; readonly actual: number },
): Promise<void> {
  const about = `an append on ${JSON.stringify(condition)}`;
  const failure = await failureOf(append(log, commitOf('refused', ['a-1']), condition));
  assertEqual(
    typeof failure === 'string' ? failure : { ...failure, text: '' },
    { type: 'stream.conflict', text: '', ...expected },
    about,
  );
}

async function assertAppendConflict(log: EventLog, condition: AppendCondition, position: number): Promise<void> {
  const about = `an append on ${JSON.stringify(condition)}`;
  const failure = await failureOf(append(log, commitOf('refused', ['probe']), condition));
  assertEqual(
    typeof failure === 'string' ? failure : { ...failure, text: '' },
    { type: 'append.conflict', text: '', position },
    about,
  );
}
