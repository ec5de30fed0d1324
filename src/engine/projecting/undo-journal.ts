import type { RowChange } from '../../core/projection.ts';

/**
 * What the rows of a projection were before each event that is pending: sync may put others before it.
 *
 * Undoing the newest changes gives the rows as they were, in the order in which they stood.
 */
export interface UndoJournal {
  /** Position from which on everything can be undone. */
  readonly since: number;
  /** Notes a row as it is, before a change by an event. */
  note(event: Place, change: RowChange, rows: ReadonlyMap<string, unknown>): void;
  /** Forgets what is confirmed up to a position: that is never undone. */
  settle(position: number): void;
  /**
   * Takes back what was noted after a position, in `rows`, and forgets it. @returns the changes that do the same
   * elsewhere; undefined where a row came back to where it had stood, which no change says.
   */
  undo(position: number, rows: Map<string, unknown>): readonly RowChange[] | undefined;
  /** The rows as they were at a position; what was noted stays. */
  rowsAt(position: number, rows: ReadonlyMap<string, unknown>): ReadonlyMap<string, unknown>;
}

/** Where an event stands, and the first one of its commit. */
export interface Place {
  readonly position: number;
  readonly commitStart: number;
}

interface Entry extends Place {
  readonly key: string;
  /** Null where there was none. */
  readonly row: unknown;
  /** Of a row that was deleted: how many stood before it. */
  readonly place?: number;
}

/** Changes that are kept: some megabytes. Of more, the commits of the older half are forgotten; who needs them folds anew. */
const maxEntries = 50_000;

export function createUndoJournal(start: number): UndoJournal {
  let since = start;
  let entries: Entry[] = [];

  function settle(position: number): void {
    if (position <= since) return;
    since = position;
    const first = entries.findIndex((entry) => entry.position > position);
    entries = first === -1 ? [] : entries.slice(first);
  }

  /** `next` is the start of the commit that follows: rows are saved, and taken back to, where one ends. */
  function forgetOlder(next: number): void {
    const middle = entries[entries.length >> 1]?.position ?? 0;
    const kept = entries.find(({ commitStart }) => commitStart > middle);
    settle((kept?.commitStart ?? next) - 1);
  }

  /** @returns the place of the first entry after a position. */
  function firstAfter(position: number): number {
    let first = entries.length;
    while (first > 0 && (entries[first - 1]?.position ?? 0) > position) first -= 1;
    return first;
  }

  return {
    get since() {
      return since;
    },
    note: ({ position, commitStart }, { key, row: next }, rows) => {
      if (entries.length >= maxEntries && entries.at(-1)?.commitStart !== commitStart) forgetOlder(commitStart);
      const row = rows.get(key) ?? null;
      const isDeleted = next === null && row !== null;
      entries.push({ position, commitStart, key, row, ...(isDeleted ? { place: placeOf(key, rows) } : {}) });
    },
    settle,
    undo: (position, rows) => {
      const undone = entries.splice(firstAfter(position)).reverse();
      return undoAll(undone, rows) ? undefined : undone.map(({ key, row }) => ({ key, row }));
    },
    rowsAt: (position, rows) => {
      const undone = entries.slice(firstAfter(position)).reverse();
      if (undone.length === 0) return rows;
      const copy = new Map(rows);
      undoAll(undone, copy);
      return copy;
    },
  };
}

/** Takes changes back, the newest first. @returns whether a row came back to where others stand behind it. */
function undoAll(undone: readonly Entry[], rows: Map<string, unknown>): boolean {
  // In the order of the rows; only what was deleted needs it.
  const keys = undone.some(({ place }) => place !== undefined) ? [...rows.keys()] : undefined;
  let isReordered = false;
  for (const { key, row, place } of undone) {
    if (row === null) {
      // It was made last of all that stand at this moment.
      if (rows.delete(key)) keys?.pop();
    } else rows.set(key, row);
    if (keys === undefined || place === undefined) continue;
    isReordered ||= place < keys.length;
    keys.splice(place, 0, key);
  }
  if (isReordered && keys !== undefined) {
    // A Map knows no other way to put something in between; once, for to do it for each would take the square of it.
    const inOrder = keys.map((key) => [key, rows.get(key)] as const);
    rows.clear();
    for (const [key, row] of inOrder) rows.set(key, row);
  }
  return isReordered;
}

function placeOf(key: string, rows: ReadonlyMap<string, unknown>): number {
  let place = 0;
  for (const other of rows.keys()) {
    if (other === key) return place;
    place += 1;
  }
  return place;
}
