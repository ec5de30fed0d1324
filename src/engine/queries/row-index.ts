import type { KeyedRow } from '../../core/row-query.ts';
import type { RowOrder } from './row-order.ts';

/**
 * Rows in an order, as a list of short sorted lists: found by halving, put in and taken out by moving one short list.
 *
 * Invariants: no chunk is empty; the rows of a chunk are in order, and all of them come before those of the next.
 */
export interface RowIndex {
  readonly size: number;
  insert(row: KeyedRow): void;
  /** Takes out the row that has this place in the order; nothing where there is none. */
  delete(row: KeyedRow): void;
  /** How many rows come before the first that `isPast` holds for; once it holds for one, it must for all that follow. */
  rankOf(isPast: (row: KeyedRow) => boolean): number;
  /** The rows from one rank up to, and without, another. */
  slice(from: number, to: number): KeyedRow[];
}

/** Rows of a chunk after which it is halved: moving so many takes less time than finding the place. */
const chunkLimit = 512;

/** `sorted` has to be in order, and is taken over. */
export function createRowIndex(compare: RowOrder, sorted: readonly KeyedRow[] = []): RowIndex {
  const chunks: KeyedRow[][] = [];
  for (let start = 0; start < sorted.length; start += chunkLimit / 2) {
    chunks.push(sorted.slice(start, start + chunkLimit / 2));
  }
  let size = sorted.length;

  /** The chunk that holds the first row that `isPast` holds for, or the last one; and the row's place in it. */
  function find(isPast: (row: KeyedRow) => boolean): { readonly at: number; readonly place: number } {
    const at = Math.min(
      firstPlace(chunks, (chunk) => isPast(chunk[chunk.length - 1] as KeyedRow)),
      chunks.length - 1,
    );
    return { at, place: firstPlace(chunks[at] ?? [], isPast) };
  }

  return {
    get size() {
      return size;
    },
    insert: (row) => {
      const { at, place } = find((other) => compare(other, row) >= 0);
      const chunk = chunks[at];
      size += 1;
      if (chunk === undefined) {
        chunks.push([row]);
        return;
      }
      chunk.splice(place, 0, row);
      if (chunk.length > chunkLimit) chunks.splice(at + 1, 0, chunk.splice(chunkLimit / 2));
    },
    delete: (row) => {
      const { at, place } = find((other) => compare(other, row) >= 0);
      const chunk = chunks[at];
      const found = chunk?.[place];
      if (chunk === undefined || found === undefined || compare(found, row) !== 0) return;
      chunk.splice(place, 1);
      if (chunk.length === 0) chunks.splice(at, 1);
      size -= 1;
    },
    rankOf: (isPast) => {
      const { at, place } = find(isPast);
      let before = place;
      // Two thousand additions for a million rows: less than keeping sums at every change.
      for (let index = 0; index < at; index += 1) before += chunks[index]?.length ?? 0;
      return before;
    },
    slice: (from, to) => {
      const rows: KeyedRow[] = [];
      let start = 0;
      for (const chunk of chunks) {
        if (start >= to) break;
        if (start + chunk.length > from) {
          const end = Math.min(chunk.length, to - start);
          for (let place = Math.max(0, from - start); place < end; place += 1) rows.push(chunk[place] as KeyedRow);
        }
        start += chunk.length;
      }
      return rows;
    },
  };
}

/** The place of the first item that a test holds for, by halving; their number where it holds for none. */
function firstPlace<Item>(items: readonly Item[], holds: (item: Item) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(items[middle] as Item)) high = middle;
    else low = middle + 1;
  }
  return low;
}
