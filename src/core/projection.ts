import type { EventSet, RecordedEvent, RecordedEventOf } from './events.ts';
import type { PlainField } from './plain-field.ts';
import type { Schema } from './schema.ts';
import { requireName, streamIdToId } from './stream-id.ts';

/** One change of a projection's rows; `null` deletes the row. */
export interface RowChange<Row = unknown> {
  readonly key: string;
  readonly row: Row | null;
}

/** A read model: rows by key, folded from events. Disposable: it can always be rebuilt from the log. */
export interface Projection<Name extends string = string, Row = unknown, Index = unknown> {
  readonly kind: 'projection';
  readonly name: Name;
  readonly version: number;
  readonly events: EventSet;
  /** What queries may order by, beside the key: lists of fields. */
  readonly indexes: readonly (readonly string[])[];
  /** The changes that an event makes, given how to look a row up; none for an event it does not know. */
  project(event: RecordedEvent, rowOf: (key: string) => Row | undefined): readonly RowChange<Row>[];
  /** Never there at run time: it carries the type of the rows. */
  readonly rowType?: Row;
  /** Never there at run time: it carries the type of the declared indexes. */
  readonly indexType?: Index;
}

export type RowOf<P extends Projection> = NonNullable<P['rowType']>;

/** The indexes of a projection as they were declared: a field, or a list of fields. */
export type IndexOf<P extends Projection> = NonNullable<P['indexType']>;

/** The last of an order may be its direction. */
type IndexField<Row> = Exclude<PlainField<Row>, 'asc' | 'desc' | '$key'>;

type UnionToIntersection<Union> = (Union extends unknown ? (value: Union) => void : never) extends (
  value: infer Intersection,
) => void
  ? Intersection
  : never;

type AllEvents<Sets extends readonly EventSet[]> = UnionToIntersection<Sets[number]>;

/**
 * Declares a read model of keyed rows.
 *
 * A handler gets the row of its key (`undefined` where there is none) and returns the new row, the same row or
 * `undefined` to leave it, or `null` to delete it. Rows are frozen: return new objects. A handler may not refuse an
 * event; one that throws is skipped and reported in the status, and the projection goes on.
 *
 * `indexes` are what `useQuery` may order by, beside the key: a field, or several of which the later ones order rows that
 * are equal in the earlier ones. One is built when a query first needs it, and costs nothing before. An equality on the
 * first fields of an index finds its rows without a look at the others.
 *
 * ### Example
 * ```ts
 * const Balances = defineProjection('balances', {
 *   version: 1,
 *   from: [AccountEvents],
 *   row: shape<{ owner: string; balance: number }>(),
 *   indexes: ['balance', ['owner', 'balance']],
 *   on: {
 *     Opened: (_row, { data }) => ({ owner: data.owner, balance: 0 }),
 *     Deposited: (row, { data }) => row && { ...row, balance: row.balance + data.amount },
 *   },
 * });
 * ```
 */
export function defineProjection<
  const Name extends string,
  Sets extends readonly EventSet[],
  Row extends object,
  const Index extends IndexField<Row> | readonly IndexField<Row>[] = never,
>(
  name: Name,
  definition: {
    /** Raise it when the handlers change: the rows are built anew. */
    readonly version: number;
    readonly from: readonly [...Sets];
    readonly row: Schema<unknown, Row> | Schema<Row>;
    readonly indexes?: readonly Index[];
    /** The key or keys of the rows that an event touches; the id of its stream unless you say otherwise. */
    readonly key?: (
      event: { [Type in keyof AllEvents<Sets>]: RecordedEventOf<AllEvents<Sets>, Type> }[keyof AllEvents<Sets>],
    ) => string | readonly string[];
    readonly on: {
      readonly [Type in keyof AllEvents<Sets>]?: (
        row: NoInfer<Row> | undefined,
        event: RecordedEventOf<AllEvents<Sets>, Type>,
        key: string,
      ) => NoInfer<Row> | null | undefined;
    };
  },
): Projection<Name, Row, Index> {
  requireName('projection', name);
  // Erased once, here: the compiler checked the handlers against the declared events at the call.
  const handlers = definition.on as unknown as Record<
    string,
    (row: Row | undefined, event: RecordedEvent, key: string) => Row | null | undefined
  >;
  const keysOf = (definition.key ?? ((event: RecordedEvent) => streamIdToId(event.stream))) as (
    event: RecordedEvent,
  ) => string | readonly string[];
  return {
    kind: 'projection',
    name,
    version: definition.version,
    events: Object.assign({}, ...definition.from),
    indexes: (definition.indexes ?? []).map((index) => requireIndex(name, [index].flat())),
    project: (event, rowOf) => {
      const handler = Object.hasOwn(handlers, event.type) ? handlers[event.type] : undefined;
      if (handler === undefined) return [];
      const keys = keysOf(event);
      const changes: RowChange<Row>[] = [];
      for (const key of typeof keys === 'string' ? [keys] : new Set(keys)) {
        const before = rowOf(key);
        const after = handler(before, event, key);
        if (after === undefined || after === before || (after === null && before === undefined)) continue;
        changes.push({ key, row: after === null ? null : Object.freeze(after) });
      }
      return changes;
    },
  };
}

/** Throws where an order by this index could be read in two ways. */
function requireIndex(projection: string, fields: readonly string[]): readonly string[] {
  if (fields.length > 0 && !fields.some((field) => ['asc', 'desc', '$key'].includes(field))) return fields;
  throw new Error(
    `The projection "${projection}" declares the index [${fields.join(', ')}]. An index names one field at least, and none of them "asc", "desc" or "$key": those say the direction, and the key.`,
  );
}

/** What a projection's rows are made by: its name and version, and every event type that it reads with its version. Rows of another signature are folded anew. */
export function projectionSignature({ name, version, events }: Projection): string {
  const types = Object.values(events).map((event) => `${event.type}@${event.version}`);
  return [`${name}@${version}`, ...types.sort()].join(' ');
}
