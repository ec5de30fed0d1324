import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KeyedRow } from '../../core/row-query.ts';
import { createRowIndex } from './row-index.ts';
import { compareValues, createRowOrder } from './row-order.ts';
import { sortInSteps } from './scan-rows.ts';

const value = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(null, undefined, true, false, Number.NaN, Number.POSITIVE_INFINITY, -0, '', 'a', 'ab', 'ž', 'Z'),
);
const keyed: fc.Arbitrary<KeyedRow> = fc.record({
  key: fc.constantFrom(...'abcdefghijkl'),
  row: fc.record({ first: value, second: value }),
});

describe('the order of rows', () => {
  it('puts no value first, then booleans, numbers and strings', () => {
    const values = ['b', 'a', 'B', '10', 2, 10, -1, Number.NaN, true, false, null];
    expect(values.sort(compareValues)).toEqual([null, false, true, Number.NaN, -1, 2, 10, '10', 'B', 'a', 'b']);
  });

  it('takes null, undefined and a field that is not there for the same, and goes on by the key', () => {
    const order = createRowOrder(['size']);
    const rows = [
      { key: 'c', row: { size: null } },
      { key: 'a', row: {} },
      { key: 'b', row: { size: undefined } },
    ];
    expect(rows.sort(order).map(({ key }) => key)).toEqual(['a', 'b', 'c']);
  });

  it('is total: of two rows with different keys one comes first, whichever is asked first', () => {
    fc.assert(
      fc.property(keyed, keyed, keyed, (a, b, c) => {
        const order = createRowOrder(['first', 'second']);
        expect(Math.sign(order(a, b)) + Math.sign(order(b, a))).toBe(0);
        if (a.key !== b.key) expect(order(a, b)).not.toBe(0);
        if (order(a, b) <= 0 && order(b, c) <= 0) expect(order(a, c)).toBeLessThanOrEqual(0);
      }),
    );
  });
});

describe('the index of rows', () => {
  it('holds its rows in order, wherever they are put in', () => {
    const index = createRowIndex(createRowOrder([]));
    for (const key of ['b', 'c', 'a']) index.insert({ key, row: {} });
    expect(index.slice(0, 3).map(({ key }) => key)).toEqual(['a', 'b', 'c']);
    index.delete({ key: 'b', row: {} });
    index.delete({ key: 'never there', row: {} });
    expect(index.slice(0, 9).map(({ key }) => key)).toEqual(['a', 'c']);
    expect(index.size).toBe(2);
  });

  it('is a sorted list after any inserts and deletes, also when its chunks split and vanish', () => {
    const order = createRowOrder(['n']);
    const step = fc.record({ n: fc.integer({ min: 0, max: 40 }), key: fc.integer({ min: 0, max: 3_000 }) });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 2_500, size: 'max' }),
        fc.integer({ min: 0, max: 1_500 }),
        (steps, given) => {
          const start = Array.from({ length: given }, (_, at) => ({ key: `${at}`, row: { n: at % 7 } })).sort(order);
          const index = createRowIndex(order, start);
          const naive = new Map<string, KeyedRow>(start.map((row) => [row.key, row]));
          for (const { n, key } of steps) {
            const before = naive.get(`${key}`);
            if (before !== undefined) {
              index.delete(before);
              naive.delete(before.key);
            } else {
              const row = { key: `${key}`, row: { n } };
              index.insert(row);
              naive.set(row.key, row);
            }
          }
          const sorted = [...naive.values()].sort(order);
          expect(index.size).toBe(sorted.length);
          expect(index.slice(0, sorted.length)).toEqual(sorted);
          const from = Math.floor(sorted.length / 3);
          expect(index.slice(from, from + 10)).toEqual(sorted.slice(from, from + 10));
          const isPast = (row: KeyedRow) => (row.row as { n: number }).n > 20;
          expect(index.rankOf(isPast)).toBe(sorted.filter((row) => !isPast(row)).length);
        },
      ),
      { numRuns: 30, seed: 1 },
    );
  });

  it('is built in steps from rows in any order', () => {
    const order = createRowOrder(['n']);
    const rows = Array.from({ length: 20_000 }, (_, at) => ({ key: `${at}`, row: { n: (at * 7_919) % 1_000 } }));
    const steps = sortInSteps(rows, order);
    let turn = steps.next();
    let turns = 1;
    for (; turn.done !== true; turn = steps.next()) turns += 1;
    expect(turn.value).toEqual([...rows].sort(order));
    expect(turns).toBeGreaterThan(10);
  });
});
