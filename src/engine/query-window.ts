import type { RowChange } from '../core/projection.ts';
import type { KeyedRow } from '../core/row-query.ts';
import type { WindowChange, WindowEnd } from '../protocol/engine-api.ts';
import type { QueryPlan } from './query-plan.ts';
import type { RowIndex } from './row-index.ts';
import { scanRows } from './scan-rows.ts';

/** The rows of a query at the moment, as many as its limit lets through. */
export interface QueryWindow {
  readonly rows: readonly KeyedRow[];
  readonly end: WindowEnd;
  /** Takes row changes that the index has already taken. @returns what they change in the window, if anything. */
  update(changes: readonly RowChange[]): WindowUpdate | undefined;
}

export interface WindowUpdate {
  readonly changes: readonly WindowChange[];
  /** Where it is another one than before. */
  readonly end?: WindowEnd;
}

/** Rows in order, one more than the limit: whether there is a next page is known without a look. */
interface Found {
  readonly rows: readonly KeyedRow[];
  readonly total: number | undefined;
}

/**
 * Holds a query's window. It is cut out of the index where there is one yet, and out of all rows while it is built.
 *
 * A change outside of the window costs two comparisons; one inside, the rows of the window.
 */
export function createQueryWindow(
  plan: QueryPlan,
  allRows: ReadonlyMap<string, unknown>,
  indexNow: () => RowIndex | undefined,
): QueryWindow {
  const { limit, total: countsAll } = plan;
  const compare = (left: KeyedRow, right: KeyedRow) =>
    plan.backwards ? plan.order(right, left) : plan.order(left, right);
  const isBehindCursor = (row: KeyedRow) => plan.after === undefined || compare(row, plan.after) > 0;

  let found: Found = { rows: [], total: undefined };
  let keys = new Set<string>();
  let rows: readonly KeyedRow[] = [];
  let end: WindowEnd = {};

  function look(): void {
    const index = indexNow();
    const wanted = limit + 1;
    found =
      index === undefined ? scanRows(allRows, plan.matches, isBehindCursor, compare, wanted) : cut(index, plan, wanted);
    keys = new Set(found.rows.map(({ key }) => key));
    rows = found.rows.slice(0, limit);
    const last = found.rows.length > limit ? rows.at(-1) : undefined;
    end = {
      ...(last === undefined ? {} : { next: plan.cursorAt(last) }),
      ...(countsAll && found.total !== undefined ? { total: found.total } : {}),
    };
  }

  /** A row that was in it or is in it now; what it was otherwise makes no difference. */
  function isTouchedBy({ key, row }: RowChange): boolean {
    if (keys.has(key)) return true;
    if (row === null) return false;
    const changed = { key, row };
    const last = found.rows.length > limit ? found.rows.at(-1) : undefined;
    return (last === undefined || compare(changed, last) < 0) && plan.matches(changed) && isBehindCursor(changed);
  }

  look();
  return {
    get rows() {
      return rows;
    },
    get end() {
      return end;
    },
    update: (changes) => {
      if (!countsAll && !changes.some(isTouchedBy)) return undefined;
      const [rowsBefore, endBefore] = [rows, end];
      look();
      const changed = diffRows(rowsBefore, rows);
      const isEndNew = JSON.stringify(end) !== JSON.stringify(endBefore);
      if (changed.length === 0 && !isEndNew) return undefined;
      return { changes: changed, ...(isEndNew ? { end } : {}) };
    },
  };
}

function cut(index: RowIndex, { range, after, backwards, order }: QueryPlan, wanted: number): Found {
  const from = index.rankOf((row) => range(row) >= 0);
  const to = index.rankOf((row) => range(row) > 0);
  // The first in the range that is behind the cursor in the index's own direction, or at it.
  const rankAfter = (cursor: KeyedRow) =>
    index.rankOf((row) => {
      const side = range(row);
      return side > 0 || (side === 0 && order(row, cursor) >= (backwards ? 0 : 1));
    });
  const start = after === undefined ? (backwards ? to : from) : rankAfter(after);
  const rows = backwards
    ? index.slice(Math.max(from, start - wanted), start).reverse()
    : index.slice(start, Math.min(to, start + wanted));
  return { rows, total: to - from };
}

/** Rows that did not change keep their order among themselves: those that left and those that came or moved say it all. */
function diffRows(before: readonly KeyedRow[], after: readonly KeyedRow[]): readonly WindowChange[] {
  let start = 0;
  while (start < before.length && isSame(before[start], after[start])) start += 1;
  let [beforeEnd, afterEnd] = [before.length, after.length];
  while (beforeEnd > start && afterEnd > start && isSame(before[beforeEnd - 1], after[afterEnd - 1])) {
    beforeEnd -= 1;
    afterEnd -= 1;
  }
  const rowsBefore = new Map(before.slice(start, beforeEnd).map(({ key, row }) => [key, row]));
  const changes: WindowChange[] = [];
  for (let place = start; place < afterEnd; place += 1) {
    const { key, row } = after[place] as KeyedRow;
    if (rowsBefore.get(key) !== row) changes.push({ key, row, place });
    rowsBefore.delete(key);
  }
  const left = [...rowsBefore.keys()].map((key): WindowChange => ({ key, row: null }));
  return [...left, ...changes];
}

function isSame(left: KeyedRow | undefined, right: KeyedRow | undefined): boolean {
  return left?.key === right?.key && left?.row === right?.row;
}
