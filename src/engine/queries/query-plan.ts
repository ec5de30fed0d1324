import type { Plain } from '../../core/plain-field.ts';
import type { Projection } from '../../core/projection.ts';
import type { AnyRowQuery, Cursor, KeyedRow } from '../../core/row-query.ts';
import { compareValues, createRowOrder, fieldOf, type RowOrder } from './row-order.ts';

/** A query that was checked, and how its rows are found. */
export interface QueryPlan {
  readonly backwards: boolean;
  readonly limit: number;
  readonly after: KeyedRow | undefined;
  readonly total: boolean;
  readonly order: RowOrder;
  /** Whether `where` chooses a row. */
  readonly matches: (row: KeyedRow) => boolean;
  /** The index that has the rows in their order. */
  readonly index: IndexPlan;
  /** Which part of the index they are. */
  readonly range: IndexRange;
  /**
   * Parts of declared indexes that hold all rows that match, the narrowest first: less to look at than everything. None
   * for a declared index: others share it, so it holds all rows whoever asks first.
   */
  readonly narrower: readonly { readonly index: string; readonly range: IndexRange }[];
  readonly cursorAt: (row: KeyedRow) => Cursor;
}

/** A declared index; or one that holds the rows that match, where no declared one has just these together. */
export interface IndexPlan {
  /** The same for all windows that can share it. */
  readonly id: string;
  readonly order: RowOrder;
  readonly matches: ((row: KeyedRow) => boolean) | undefined;
}

/** Where a row stands to a part of an index: before it (negative), in it (0), or behind it. */
export type IndexRange = (row: KeyedRow) => number;

interface FieldCondition {
  readonly field: string;
  /** Where a value stands to the values that this allows, in the order of values. */
  readonly sideOf: (value: unknown) => number;
  /** Allows some of the values between its ends only. */
  readonly isOneOf: ((value: unknown) => boolean) | undefined;
  readonly isEquality: boolean;
}

const defaultLimit = 50;

/** Throws where the projection cannot answer the query, with what to do about it. */
export function planQuery(projection: Projection, query: AnyRowQuery): QueryPlan {
  const { limit = defaultLimit, after, where = {}, total = false } = query;
  const problem = (text: string) => new Error(`A query of the projection "${projection.name}" ${text}`);
  if (!Number.isInteger(limit) || limit < 1) throw problem(`has the limit ${limit}. Give a whole number from 1 on.`);
  const { fields, direction } = readOrder(projection, query.orderBy, problem);
  const cursorOrder = [...fields, direction];
  if (after !== undefined && !isSame(after.order, cursorOrder)) {
    throw problem(
      `is to start after a place in the order [${after.order.join(', ')}], but orders by [${cursorOrder.join(', ')}]. Leave "after" out when the order changes.`,
    );
  }
  const conditions = Object.entries(where)
    .filter(([, condition]) => condition !== undefined)
    .map(([field, condition]) => readCondition(field, condition, problem));
  const matches = (row: KeyedRow) =>
    conditions.every(({ field, sideOf, isOneOf }) => {
      const value = valueIn(row, field);
      return sideOf(value) === 0 && (isOneOf === undefined || isOneOf(value));
    });

  const parts = [[], ...projection.indexes].map((index) => ({ index, covered: coveredBy(index, conditions) }));
  parts.sort((left, right) => right.covered.length - left.covered.length);
  // Rows that are equal in the first fields of an index stand in it in the order of the others.
  const [inOrder] = parts.filter(({ index, covered }) => {
    const lead = index.length - fields.length;
    return isSame(index.slice(Math.max(lead, 0)), fields) && equalitiesOf(covered) >= lead;
  });
  const order = createRowOrder(fields);
  const isWhole = inOrder !== undefined && inOrder.covered.length === conditions.length;
  return {
    backwards: direction === 'desc',
    limit,
    after: after && { key: after.key, row: Object.fromEntries(fields.map((field, at) => [field, after.values[at]])) },
    total,
    order,
    matches,
    index: isWhole
      ? { id: indexId(inOrder.index), order: createRowOrder(inOrder.index), matches: undefined }
      : { id: JSON.stringify([fields, where]), order, matches },
    range: toRange(isWhole ? inOrder.covered : []),
    narrower: isWhole
      ? []
      : parts
          .filter(({ covered }) => covered.length > 0)
          .map(({ index, covered }) => ({ index: indexId(index), range: toRange(covered) })),
    cursorAt: (row) => ({
      order: cursorOrder,
      // Rows are the app's own: a field of an index holds what a query can name.
      values: fields.map((field) => (fieldOf(row.row, field) ?? null) as Plain),
      key: row.key,
    }),
  };
}

function indexId(fields: readonly string[]): string {
  return JSON.stringify(fields);
}

function isSame(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((field, at) => field === right[at]);
}

function valueIn(row: KeyedRow, field: string): unknown {
  return field === '$key' ? row.key : fieldOf(row.row, field);
}

type Problem = (text: string) => Error;

function readOrder({ indexes }: Projection, orderBy: AnyRowQuery['orderBy'] = '$key', problem: Problem) {
  const list = [orderBy].flat();
  const last = list.at(-1);
  const direction = last === 'asc' || last === 'desc' ? last : undefined;
  const fields = direction === undefined ? list : list.slice(0, -1);
  const isKey = isSame(fields, ['$key']);
  if (!isKey && !indexes.some((index) => isSame(index, fields))) {
    const declared = indexes.map((index) => `[${index.join(', ')}]`).join(', ') || 'none';
    throw problem(
      `orders by [${fields.join(', ')}], which is no index of it. Declared are: ${declared}. Add it to the "indexes" of defineProjection, or order by "$key".`,
    );
  }
  return { fields: isKey ? [] : fields, direction: direction ?? 'asc' } as const;
}

/** The conditions that one part of an index fulfils: equalities on its first fields, and then one on a stretch of values. */
function coveredBy(index: readonly string[], conditions: readonly FieldCondition[]): readonly FieldCondition[] {
  const covered: FieldCondition[] = [];
  for (const field of [...index, '$key']) {
    const condition = conditions.find((each) => each.field === field);
    if (condition === undefined || condition.isOneOf !== undefined) break;
    covered.push(condition);
    if (!condition.isEquality) break;
  }
  return covered;
}

function equalitiesOf(covered: readonly FieldCondition[]): number {
  return covered.filter(({ isEquality }) => isEquality).length;
}

function toRange(covered: readonly FieldCondition[]): IndexRange {
  return (row) => {
    for (const { field, sideOf } of covered) {
      const side = sideOf(valueIn(row, field));
      if (side !== 0) return side;
    }
    return 0;
  };
}

/** Each says where a value stands to a bound's side of the order; values of another kind stand outside. */
const comparisons: Readonly<Record<string, (difference: number, value: unknown, bound: unknown) => number>> = {
  below: (difference) => (difference >= 0 ? 1 : 0),
  above: (difference) => (difference <= 0 ? -1 : 0),
  atLeast: (difference) => Math.min(difference, 0),
  atMost: (difference) => Math.max(difference, 0),
  startsWith: (difference, value, bound) => (difference < 0 ? -1 : String(value).startsWith(String(bound)) ? 0 : 1),
};

function readCondition(field: string, condition: unknown, problem: Problem): FieldCondition {
  if (typeof condition !== 'object' || condition === null) {
    requirePlain(field, condition, problem);
    return { field, sideOf: (value) => compareValues(value, condition), isOneOf: undefined, isEquality: true };
  }
  const { in: list, ...bounds } = condition as { readonly in?: readonly unknown[] } & Readonly<Record<string, unknown>>;
  for (const value of list ?? []) requirePlain(field, value, problem);
  const sides = Object.entries(bounds)
    .filter(([, bound]) => bound !== undefined)
    .map(([name, bound]) => {
      const compare = Object.hasOwn(comparisons, name) ? comparisons[name] : undefined;
      if (compare === undefined) {
        throw problem(
          `asks for "${name}" of the field "${field}". There are: a value, ${Object.keys(comparisons).join(', ')}, in.`,
        );
      }
      requirePlain(field, bound, problem);
      return (value: unknown) => {
        const difference = compareValues(value, bound);
        return typeof value === typeof bound ? compare(difference, value, bound) : difference;
      };
    });
  return {
    field,
    // The first that is not 0: each of them grows with the value, and so does this.
    sideOf: (value) => {
      for (const side of sides) {
        const found = side(value);
        if (found !== 0) return found;
      }
      return 0;
    },
    isOneOf: list && ((value) => list.some((sought) => compareValues(value, sought) === 0)),
    isEquality: false,
  };
}

/** NaN and the infinities do not survive JSON, by which queries are told apart. */
function requirePlain(field: string, value: unknown, problem: Problem): void {
  if (value === null || ['string', 'boolean'].includes(typeof value) || Number.isFinite(value)) return;
  throw problem(
    `compares the field "${field}" with ${String(value)}. Compare with strings, booleans, numbers or null.`,
  );
}
