import type { RowChange } from '../../core/projection.ts';

/**
 * What the rows of a projection were before each event that is pending: sync may put others before it.
 *
 * Undoing the newest changes gives the rows as they were, in the order in which they stood.
 */
export interface UndoJournal {
  /** Position from which on everything can be undone. */
  readonly since: number;
  /** Notes a row as it is, before a change by the event at a position. */
  note(position: number, change: RowChange, rows: ReadonlyMap<string, unknown>): void;
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

interface Entry {
  readonly position: number;
  readonly key: string;
  /** Null where there was none. */
  readonly row: unknown;
  /** Of a row that was deleted: how many stood before it. */
  readonly place?: number;
}

/** Changes that are kept: some megabytes. Of more, the oldest are forgotten; who needs them folds anew. */
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

  function undoEntry(rows: Map<string, unknown>, { key, row, place }: Entry): boolean {
    if (row === null) rows.delete(key);
    else rows.set(key, row);
    if (place === undefined || place === rows.size - 1) return false;
    // A Map knows no other way to put something in between.
    const later = [...rows].slice(place, -1);
    for (const [laterKey] of later) rows.delete(laterKey);
    for (const [laterKey, laterRow] of later) rows.set(laterKey, laterRow);
    return true;
  }

  return {
    get since() {
      return since;
    },
    note: (position, { key, row: next }, rows) => {
      const row = rows.get(key) ?? null;
      const isDeleted = next === null && row !== null;
      entries.push({ position, key, row, ...(isDeleted ? { place: placeOf(key, rows) } : {}) });
      if (entries.length > maxEntries) settle(entries[maxEntries / 2]?.position ?? position);
    },
    settle,
    undo: (position, rows) => {
      const changes: RowChange[] = [];
      let isReordered = false;
      while ((entries.at(-1)?.position ?? 0) > position) {
        const entry = entries.pop() as Entry;
        isReordered = undoEntry(rows, entry) || isReordered;
        changes.push({ key: entry.key, row: entry.row });
      }
      return isReordered ? undefined : changes;
    },
    rowsAt: (position, rows) => {
      if ((entries.at(-1)?.position ?? 0) <= position) return rows;
      const copy = new Map(rows);
      for (let at = entries.length - 1; at >= 0; at -= 1) {
        const entry = entries[at] as Entry;
        if (entry.position <= position) break;
        undoEntry(copy, entry);
      }
      return copy;
    },
  };
}

function placeOf(key: string, rows: ReadonlyMap<string, unknown>): number {
  let place = 0;
  for (const other of rows.keys()) {
    if (other === key) return place;
    place += 1;
  }
  return place;
}
