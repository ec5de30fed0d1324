import type { KeyedRow } from '../../core/row-query.ts';

/** Negative where the left one comes first. Total over rows of different keys. */
export type RowOrder = (left: KeyedRow, right: KeyedRow) => number;

/** The order that queries promise: no value, then booleans, numbers, strings; anything else comes last, as equal. */
export function compareValues(left: unknown, right: unknown): number {
  if (left === right) return 0;
  const kind = kindOf(left);
  const difference = kind - kindOf(right);
  if (difference !== 0) return difference;
  // Of one kind; what is not to be compared is equal.
  if (kind === 0 || kind > 3) return 0;
  if ((left as number) < (right as number)) return -1;
  if ((left as number) > (right as number)) return 1;
  return Number(Number.isNaN(right)) - Number(Number.isNaN(left));
}

function kindOf(value: unknown): number {
  switch (typeof value) {
    case 'undefined':
      return 0;
    case 'boolean':
      return 1;
    case 'number':
      return 2;
    case 'string':
      return 3;
    default:
      return value === null ? 0 : 4;
  }
}

/** By these fields, one after the other, and then by the key. */
export function createRowOrder(fields: readonly string[]): RowOrder {
  const [only = ''] = fields;
  // One function per number of fields: it runs a million times when an index is built.
  if (fields.length === 0) return compareKeys;
  if (fields.length === 1) {
    return (left, right) =>
      compareValues(fieldOf(left.row, only), fieldOf(right.row, only)) || compareKeys(left, right);
  }
  return (left, right) => {
    for (const field of fields) {
      const difference = compareValues(fieldOf(left.row, field), fieldOf(right.row, field));
      if (difference !== 0) return difference;
    }
    return compareKeys(left, right);
  };
}

function compareKeys(left: KeyedRow, right: KeyedRow): number {
  return left.key < right.key ? -1 : left.key > right.key ? 1 : 0;
}

/** A row's own field: names come from an app's code, but nothing is to be found on a prototype. */
export function fieldOf(row: unknown, field: string): unknown {
  return (row as Readonly<Record<string, unknown>>)[field];
}
