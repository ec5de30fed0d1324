import type { KeyedRow } from '../../core/row-query.ts';
import type { RowOrder } from './row-order.ts';

/** Rows that are kept beyond those that are wanted before the list is sorted and cut: few sorts, and short ones. */
const slack = 1_024;

/** The first rows of an order, and how many match, by one look at each: what answers while an index is built. */
export function scanRows(
  rows: ReadonlyMap<string, unknown>,
  matches: (row: KeyedRow) => boolean,
  isWanted: (row: KeyedRow) => boolean,
  compare: RowOrder,
  count: number,
): { readonly rows: readonly KeyedRow[]; readonly total: number } {
  let best: KeyedRow[] = [];
  let worst: KeyedRow | undefined;
  let total = 0;
  for (const [key, row] of rows) {
    const each = { key, row };
    if (!matches(each)) continue;
    total += 1;
    if ((worst !== undefined && compare(each, worst) > 0) || !isWanted(each)) continue;
    best.push(each);
    if (best.length < count + slack) continue;
    best = best.sort(compare).slice(0, count);
    worst = best.at(-1);
  }
  return { rows: best.sort(compare).slice(0, count), total };
}

/** Sorts a list in steps of a few milliseconds each, so that what waits can go in between. */
export function* sortInSteps(rows: readonly KeyedRow[], compare: RowOrder): Generator<void, readonly KeyedRow[]> {
  let runs: (readonly KeyedRow[])[] = [];
  for (let start = 0; start < rows.length; start += stepLength) {
    runs.push(rows.slice(start, start + stepLength).sort(compare));
    yield;
  }
  while (runs.length > 1) {
    const merged: (readonly KeyedRow[])[] = [];
    for (let at = 0; at < runs.length; at += 2) {
      merged.push(yield* merge(runs[at] ?? [], runs[at + 1] ?? [], compare));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

const stepLength = 4_096;

function* merge(
  left: readonly KeyedRow[],
  right: readonly KeyedRow[],
  compare: RowOrder,
): Generator<void, readonly KeyedRow[]> {
  const merged: KeyedRow[] = [];
  let [fromLeft, fromRight] = [0, 0];
  while (fromLeft < left.length && fromRight < right.length) {
    const [first, second] = [left[fromLeft] as KeyedRow, right[fromRight] as KeyedRow];
    if (compare(first, second) <= 0) {
      merged.push(first);
      fromLeft += 1;
    } else {
      merged.push(second);
      fromRight += 1;
    }
    if (merged.length % stepLength === 0) yield;
  }
  for (; fromLeft < left.length; fromLeft += 1) merged.push(left[fromLeft] as KeyedRow);
  for (; fromRight < right.length; fromRight += 1) merged.push(right[fromRight] as KeyedRow);
  return merged;
}
