import type { RowChange } from '../../core/projection.ts';
import type { KeyedRow } from '../../core/row-query.ts';
import type { WindowChange, WindowEnd } from '../../protocol/engine-api.ts';
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

/** Rows in order, one more than the limit at least where there are so many: whether there is a next page is known. */
interface Found {
  readonly rows: readonly KeyedRow[];
  /** Up to here all rows are found; undefined where there are no others. */
  readonly edge: KeyedRow | undefined;
  readonly total: number | undefined;
}

/**
 * Holds a query's window. It is cut out of the index, and while that is built, found by one look at each row: then some
 * more rows are held, so that one that leaves has its successor.
 *
 * A change outside of the window costs a comparison; one inside, the rows of the window.
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

  let found: Found = look();
  let keys = new Set<string>();
  let rows: readonly KeyedRow[] = [];
  let end: WindowEnd = {};

  function look(): Found {
    const index = indexNow();
    if (index !== undefined) return toFound(cut(index, plan, limit + 1), limit + 1);
    // As many again as the limit: so many may leave before all rows are looked at once more.
    return toFound(scanRows(allRows, plan.matches, isBehindCursor, compare, 2 * limit + 1), 2 * limit + 1);
  }

  /** What was found, with changes put in; undefined where that leaves too few rows, or the number of all unknown. */
  function withChanges(changes: readonly RowChange[]): Found | undefined {
    if (countsAll || indexNow() !== undefined) return undefined;
    const changed = new Map(changes.map(({ key, row }) => [key, row]));
    const own = found.rows.filter(({ key }) => !changed.has(key));
    for (const [key, row] of changed) if (row !== null && isFoundAt({ key, row })) own.push({ key, row });
    if (found.edge !== undefined && own.length <= limit) return undefined;
    return toFound({ rows: own.sort(compare).slice(0, 2 * limit + 1), total: undefined }, 2 * limit + 1, found.edge);
  }

  function isFoundAt(row: KeyedRow): boolean {
    return (found.edge === undefined || compare(row, found.edge) < 0) && plan.matches(row) && isBehindCursor(row);
  }

  function show(): void {
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
    return keys.has(key) || (row !== null && isFoundAt({ key, row }));
  }

  show();
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
      found = withChanges(changes) ?? look();
      show();
      const changed = diffRows(rowsBefore, rows);
      const isEndNew = JSON.stringify(end) !== JSON.stringify(endBefore);
      if (changed.length === 0 && !isEndNew) return undefined;
      return { changes: changed, ...(isEndNew ? { end } : {}) };
    },
  };
}

/** `edge`: up to where all rows were found before there were more than `wanted`. */
function toFound({ rows, total }: Omit<Found, 'edge'>, wanted: number, edge?: KeyedRow): Found {
  return { rows, total, edge: rows.length === wanted ? rows.at(-1) : edge };
}

function cut(index: RowIndex, { range, after, backwards, order }: QueryPlan, wanted: number): Omit<Found, 'edge'> {
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
