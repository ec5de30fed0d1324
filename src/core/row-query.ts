import type { Plain, PlainField } from './plain-field.ts';
import type { IndexOf, Projection, RowOf } from './projection.ts';

type ValueIn<Row, Field> = Row extends unknown ? (Field extends keyof Row ? Row[Field] : undefined) : never;

/** `null` stands for a field that is null, undefined or not there. */
type Sought<Value> = NonNullable<Value> | (Extract<Value, null | undefined> extends never ? never : null);

interface Range<Value> {
  readonly below?: Value;
  readonly above?: Value;
  readonly atLeast?: Value;
  readonly atMost?: Value;
}

/**
 * What a field must be: a value that it equals, or all of what an object says.
 *
 * `below`, `above`, `atLeast` and `atMost` hold for values of their own kind only: no row without a balance has a
 * balance below 100. Numbers are compared as numbers, strings by their UTF-16 code units and not by a language.
 */
export type Condition<Value> =
  | Sought<Value>
  | ({ readonly in?: readonly Sought<Value>[] } & (NonNullable<Value> extends string | number
      ? Range<NonNullable<Value>>
      : unknown) &
      (NonNullable<Value> extends string ? { readonly startsWith?: string } : unknown));

/** Conditions by field, all of which must hold; `$key` is the row's key. One that is undefined is none. */
export type Where<Row> = {
  readonly [Field in PlainField<Row>]?: Condition<ValueIn<Row, Field>> | undefined;
} & { readonly $key?: Condition<string> | undefined };

type Direction = 'asc' | 'desc';

type OrderByIndex<Index> = Index extends string
  ? Index | readonly [Index, Direction]
  : Index extends readonly string[]
    ? Index | readonly [...Index, Direction]
    : never;

/** The place of a row in an order: plain data, to be kept, sent or put into an address. */
export interface Cursor {
  /** The order that it is a place in; in another it means nothing, and is refused. */
  readonly order: readonly string[];
  readonly values: readonly Plain[];
  readonly key: string;
}

/**
 * Which rows of a projection, in which order, and how many. Plain data: two queries that say the same are the same.
 *
 * The order is total: rows without a value (null, undefined, no such field) come first, then false, true, numbers (NaN
 * before all others), and strings by their UTF-16 code units; rows that are equal in all of this come in the order of
 * their keys. `desc` is exactly the reverse, keys included.
 *
 * ### Example
 * ```ts
 * const richest = { where: { owner: 'Ada', balance: { atLeast: 100 } }, orderBy: ['balance', 'desc'], limit: 50 };
 * ```
 */
export interface RowQuery<P extends Projection = Projection> {
  readonly where?: Where<RowOf<P>>;
  /** An index that the projection declares, with or without a direction at its end; by key where none is given. */
  readonly orderBy?: OrderByIndex<'$key' | IndexOf<P>>;
  /** How many rows at most; 50 where none is given. */
  readonly limit?: number;
  /** Only rows behind this place: `next` of an earlier answer. What was inserted or deleted before it moves no page. */
  readonly after?: Cursor | undefined;
  /** Whether to count all rows that `where` chooses, whatever `limit` and `after` are. */
  readonly total?: boolean;
}

/** A query of any projection: what crosses to the worker. */
export interface AnyRowQuery {
  readonly where?: object;
  readonly orderBy?: string | readonly string[];
  readonly limit?: number;
  readonly after?: Cursor | undefined;
  readonly total?: boolean;
}

/** A row with its key. */
export interface KeyedRow<Row = unknown> {
  readonly key: string;
  readonly row: Row;
}

/** What a query comes to at one position of the log; frozen, and the same object until something in it changes. */
export interface QueryAnswer<Row = unknown> {
  /** In order. A row that did not change is the same object as in the answer before. */
  readonly rows: readonly KeyedRow<Row>[];
  /** Where the following rows begin: `after` of their query. Undefined where these rows are the last. */
  readonly next: Cursor | undefined;
  /** Only where the query asks for it. */
  readonly total: number | undefined;
}
