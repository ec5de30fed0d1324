import type { EventQuery } from '../../core/event-query.ts';
import type { RecordedEvent } from '../../core/events.ts';
import type { EventLog, NewCommit } from '../../log/event-log.ts';
import { assertEqual } from '../assert.ts';
import type { ConformanceCases } from './conformance-case.ts';
import { append, appendAll, pause, positionsOf, readAll, readAllCommits } from './log-access.ts';
import { commitOf, eventOf, filterOf, range, recordedOf, sampleCommits, sampleQueries } from './sample-commits.ts';

/** Queries give what a look at every event would give, in order of position. */
export const readingCases: ConformanceCases = {
  'reads by stream': async ({ log }) => {
    await assertQueries(log, [
      { stream: 'account-1' },
      { stream: 'account-1', backwards: true },
      { stream: 'account-2', limit: 3 },
      { stream: 'account-2', backwards: true, limit: 7 },
      { stream: 'account-3', from: 200, to: 900 },
      { stream: 'account-3', from: 200, to: 900, backwards: true, limit: 2 },
      { stream: 'rare-3' },
      { stream: 'none' },
      { stream: 'account-' },
    ]);
  },

  'reads by type': async ({ log }) => {
    await assertQueries(log, [
      { types: ['Closed'] },
      { types: ['Closed', 'Opened'] },
      { types: ['Renamed', 'none'], backwards: true, limit: 5 },
      { types: ['Withdrawn'], stream: 'account-5' },
      { types: ['none'] },
      { types: [] },
    ]);
  },

  'reads by tags': async ({ log }) => {
    await assertQueries(log, [
      { tags: ['red'] },
      { tags: ['red', 'blue'] },
      { tags: ['blue', 'red'], backwards: true },
      { tags: ['owner:1', 'red', 'green'] },
      { tags: ['owner:1'], types: ['Closed', 'Opened'], stream: 'account-4' },
      { tags: ['žluť'], limit: 4 },
      { tags: ['rare'] },
      { tags: ['rare'], backwards: true, limit: 1 },
      { tags: ['owner'] },
      { tags: ['red', 'none'] },
      { tags: [] },
    ]);
  },

  'reads by any of several filters': async ({ log }) => {
    await assertQueries(log, [
      { anyOf: [{ stream: 'account-1' }, { stream: 'account-2' }] },
      { anyOf: [{ stream: 'account-1', types: ['Opened'] }, { tags: ['rare'] }], backwards: true },
      { anyOf: [{ types: ['Closed'] }, { tags: ['red', 'blue'] }], types: ['Closed', 'Opened'] },
      { anyOf: [{ types: ['Closed'] }, { types: ['Closed'] }], limit: 10 },
      { anyOf: [{ tags: ['red'] }, { stream: 'none' }], stream: 'account-1' },
      { anyOf: [{}] },
      { anyOf: [{ types: ['none'] }] },
      { anyOf: [] },
    ]);
  },

  'reads by position': async ({ log }) => {
    const { length } = await fill(log);
    const edges = [1, 2, 3, 15, 16, 17, 255, 256, 257, 300, 700, 999, 1000, 1001, length - 1, length, length + 1];
    const queries = edges.flatMap((edge): EventQuery[] => [
      { from: edge },
      { to: edge },
      { from: edge, to: edge },
      { from: edge, to: edge + 20, backwards: true },
      { to: edge, backwards: true, limit: 5 },
      { from: edge, limit: 5 },
    ]);
    await assertQueries(log, [...queries, {}, { from: 0 }, { from: -5, limit: 2 }, { to: 0 }, { from: 20, to: 10 }]);
  },

  'reads by time, also where clocks jumped back': async ({ log }) => {
    const all = await fill(log);
    const times = [0, 1, -5, -4, ...[1, 50, 400, 900].map((index) => all[index]?.meta.recordedAt ?? 0)];
    const queries = times.flatMap((time): EventQuery[] => [
      { since: time },
      { until: time },
      { since: time, until: time + 1 },
      { since: time, until: time + 3_600_000, backwards: true },
      { since: time, stream: 'account-1', limit: 4, backwards: true },
    ]);
    await assertQueries(log, [...queries, { since: 4_900_000_000_000 }, { since: 4_900_000_000_001 }, { until: -5 }]);
  },

  'reads newest first': async ({ log }) => {
    await assertQueries(log, [{ backwards: true }, { backwards: true, to: 500 }, { backwards: true, from: 500 }]);
  },

  'reads no more than the limit': async ({ log }) => {
    const limits = [0, 1, 2, 99, 100, 999, 1000, 1001, 100_000];
    await assertQueries(
      log,
      limits.flatMap((limit): EventQuery[] => [
        { limit },
        { limit, backwards: true },
        { limit, types: ['Opened', 'Closed'] },
        { limit, stream: 'account-1', backwards: true },
      ]),
    );
  },

  'reads by any combination of conditions': async ({ log }) => {
    const all = await fill(log);
    await assertQueries(log, sampleQueries(all, 250));
  },

  'reads a long log in pages of which none is empty': async ({ log }) => {
    for (const index of range(1, 6)) {
      const streams = range(1, 2000).map((number) => (number % 100 === 0 ? 'rare' : `a-${number % 7}`));
      await append(log, commitOf(`c${index}`, streams));
    }
    for (const query of [{}, { backwards: true }, { from: 100 }]) {
      const sizes = await pageSizes(log, query);
      const about = `pages of 12,000 events read with ${JSON.stringify(query)}, which are read whole only page by page`;
      assertEqual(sizes.length > 1 && sizes.every((size) => size > 0), true, about);
      assertEqual(
        sizes.reduce((sum, size) => sum + size, 0),
        query.from === undefined ? 12_000 : 11_901,
      );
    }
    for (const query of [{ stream: 'rare' }, { types: ['none'] }, { stream: 'rare', backwards: true }]) {
      const sizes = await pageSizes(log, query);
      assertEqual(sizes.includes(0), false, `an empty page of ${JSON.stringify(query)}: to a reader it is the end`);
    }
  },

  'reads a long commit of small events behind large ones': async ({ log }) => {
    const commits: NewCommit[] = [];
    for (const [size, count] of [
      [8_000, 20],
      [1, 400],
      [4_000, 60],
      [1, 1_300],
    ] as const) {
      // Large ones one at a time, small ones together: no page is like the one before.
      for (const index of range(1, size === 1 ? 1 : count)) {
        const events = range(1, size === 1 ? count : 1).map((at) => eventOf({ data: { text: 'x'.repeat(size) } }, at));
        commits.push({ ...commitOf(`c${size}-${count}-${index}`, []), events });
      }
    }
    for (const commit of commits) await append(log, commit);
    const all = recordedOf(commits);
    assertEqual(await readAll(log), all);
    assertEqual(await readAll(log, { from: 20 }), all.slice(19));
    assertEqual(await readAll(log, { backwards: true }), [...all].reverse());
    assertEqual((await readAllCommits(log)).length, commits.length);
  },

  'reads without gaps while the log grows': async ({ log, open }) => {
    const writer = await open();
    const before = await fill(log);
    const grow = async () => {
      for (const index of range(1, 20)) {
        await append(writer, commitOf(`more-${index}`, ['account-1', 'account-2']));
        await pause();
      }
    };
    const growing = grow();
    const [forwards, backwards, ofStream] = await Promise.all([
      readAll(log),
      readAll(log, { backwards: true }),
      readAll(log, { stream: 'account-1' }),
    ]);
    await growing;
    // How much of what is appended meanwhile it sees is its own affair.
    assertEqual(forwards.slice(0, before.length), before);
    assertEqual(positionsOf(forwards), range(1, forwards.length));
    assertEqual(backwards.slice(-before.length), [...before].reverse());
    assertEqual(positionsOf(backwards), range(1, backwards.length).reverse());
    assertEqual(
      ofStream.map(({ revision }) => revision),
      range(0, ofStream.length - 1),
    );
    const beyond = positionsOf(await readAll(log, { from: before.length + 1 }));
    assertEqual(beyond, range(before.length + 1, before.length + 40));
  },

  'can be left in the middle of a reading': async ({ log }) => {
    await fill(log);
    for await (const page of log.read({})) {
      assertEqual(page[0]?.position, 1);
      break;
    }
    for await (const [commit] of log.readCommits()) {
      assertEqual(commit?.clientSeq, 1);
      break;
    }
    await append(log, commitOf('next', ['account-1']));
  },
};

/** The log that the queries of this concern are put to; appended by the first who asks. */
async function fill(log: EventLog): Promise<RecordedEvent[]> {
  const commits = sampleCommits(300, 7);
  if ((await log.head()) === 0) await appendAll(log, commits);
  return recordedOf(commits);
}

async function assertQueries(log: EventLog, queries: readonly EventQuery[]): Promise<void> {
  const all = await fill(log);
  for (const query of queries) {
    const found = await readAll(log, query);
    const expected = filterOf(all, query);
    const about = `events for ${JSON.stringify(query)}`;
    assertEqual(positionsOf(found), positionsOf(expected), `positions of ${about}`);
    if (expected.length <= 100) assertEqual(found, expected, about);
  }
}

async function pageSizes(log: EventLog, query: EventQuery): Promise<number[]> {
  const sizes: number[] = [];
  for await (const page of log.read(query)) sizes.push(page.length);
  return sizes;
}
