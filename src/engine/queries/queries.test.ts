import { describe, expect, it } from 'vitest';
import { createWindowFeed } from '../../client/live-query.ts';
import type { RowChange } from '../../core/projection.ts';
import type { EngineMessage } from '../../protocol/engine-api.ts';
import { Ranking, rankingApp } from '../../testing/fixtures/ranking-app.ts';
import { createQueries } from './queries.ts';

/** Rows of a projection with queries on them, and what the page is told. */
function open(count: number) {
  const rows = new Map<string, unknown>();
  for (let n = 0; n < count; n += 1) rows.set(`k${n}`, Object.freeze({ count: n, closed: n % 2 === 0 }));
  const messages: EngineMessage[] = [];
  const queries = createQueries(rankingApp, (message) => messages.push(message));
  let position = count;
  const change = (key: string, row: object | null) => {
    if (row === null) rows.delete(key);
    else rows.set(key, row);
    position += 1;
    const changes: RowChange[] = [{ key, row }];
    queries.applied('ranking', changes, { to: position });
    return messages.at(-1);
  };
  const ask = (id: string, query: object) => queries.open(id, Ranking.name, query, { rows, position, isBehind: false });
  return { rows, messages, queries, change, ask };
}

// Once where the rows are indexed at once, once where a window is answered without an index at first.
describe.each([10, 5_000])('the queries on %i rows', (count) => {
  it('tell the first window as a whole', () => {
    const { messages, ask } = open(count);
    ask('?1', { orderBy: 'count', limit: 2, total: true });
    expect(messages).toEqual([
      {
        type: 'snapshot',
        projection: '?1',
        position: count,
        isBehind: false,
        isFirst: true,
        isLast: true,
        rows: [
          ['k0', { count: 0, closed: true }],
          ['k1', { count: 1, closed: false }],
        ],
        end: { next: { order: ['count', 'asc'], values: [1], key: 'k1' }, total: count },
      },
    ]);
  });

  it('tell only what changed in a window, and name the others', () => {
    const { change, ask } = open(count);
    ask('?1', { orderBy: 'count', limit: 3 });
    ask('?2', { where: { closed: false }, limit: 3 });
    const row = { count: 1.5, closed: true };
    expect(change('new', row)).toMatchObject({
      type: 'patch',
      from: count,
      to: count + 1,
      changes: {
        '?1': [
          { key: 'k2', row: null },
          { key: 'new', row, place: 2 },
        ],
        '?2': [],
      },
      ends: { '?1': { next: { values: [1.5], key: 'new' } } },
    });
    // Its place stays, and so does the end.
    expect(change('k0', { count: -1, closed: true })).toMatchObject({
      changes: { '?1': [{ key: 'k0', row: { count: -1 }, place: 0 }] },
      ends: {},
    });
    // It left, and another one came in at the end.
    expect(change('k1', null)).toMatchObject({
      changes: {
        '?1': [
          { key: 'k1', row: null },
          { key: 'k2', place: 2 },
        ],
      },
    });
    expect(change(`k${count - 2}`, { count: 1_000_000, closed: true })).toMatchObject({
      changes: { '?1': [], '?2': [] },
      ends: {},
    });
  });

  it('hold nothing of a projection once its last window is closed', () => {
    const { queries, messages, change, ask } = open(count);
    ask('?1', {});
    ask('?1', { limit: 3 });
    ask('?2', {});
    expect(queries.includes('ranking')).toBe(true);
    queries.close('?1');
    expect(queries.includes('ranking')).toBe(true);
    queries.close('?2');
    expect(queries.includes('ranking')).toBe(false);
    const told = messages.length;
    change('k1', null);
    expect(messages).toHaveLength(told);
  });
});

it('a window whose rows leave one by one while its index is built is refilled with the right ones', () => {
  const { rows, messages, queries, ask } = open(5_000);
  ask('?1', { orderBy: 'count', limit: 3 });
  const { feed, answer } = createWindowFeed('?1', () => undefined);
  let position = 5_000;
  for (let turn = 0; turn < 30; turn += 1) {
    for (const message of messages.splice(0)) {
      if (message.type === 'snapshot') feed.applySnapshot(message);
      if (message.type === 'patch') feed.applyPatch(message);
    }
    const sorted = Array.from(rows, ([key, row]) => ({ key, row: row as { count: number } }));
    sorted.sort((left, right) => left.row.count - right.row.count);
    expect(answer().rows).toEqual(sorted.slice(0, 3));
    // The first one leaves, and another comes: now near the window, now far behind it.
    const [first] = sorted;
    const near = (sorted[turn % 9]?.row.count ?? 0) + 0.5;
    const row = { count: turn % 3 === 0 ? near : 2_000 + turn + 0.5, closed: false };
    rows.delete(first?.key ?? '');
    rows.set(`new${turn}`, row);
    position += 1;
    const changes = [
      { key: first?.key ?? '', row: null },
      { key: `new${turn}`, row },
    ];
    queries.applied('ranking', changes, { to: position });
  }
  queries.closeAll();
});

it('an index that windows share holds all rows, however few the first of them asks for', () => {
  const { messages, ask } = open(10);
  ask('?1', { orderBy: 'count' });
  ask('?2', { where: { closed: true, count: { atLeast: 4 } }, orderBy: 'count' });
  ask('?3', { where: { closed: true }, orderBy: 'count', total: true });
  expect(messages.at(-1)).toMatchObject({
    rows: [['k0'], ['k2'], ['k4'], ['k6'], ['k8']].map(([key]) => [key, { closed: true }]),
    end: { total: 5 },
  });
});

it('a query that cannot be answered leaves nothing behind', () => {
  const { queries, ask } = open(3);
  expect(() => ask('?1', { orderBy: 'nothing' })).toThrow(/no index/);
  expect(queries.includes('ranking')).toBe(false);
});
