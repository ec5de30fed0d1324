import type { AnyEvent, EventSet, RecordedEvent, RecordedEventOf, UnionOfSets } from './events.ts';
import type { PlainField } from './plain-field.ts';
import { type Parsed, parseWith, type Schema, shape } from './schema.ts';
import { requireName, streamIdToId } from './stream-id.ts';

/** One change of a projection's rows; `null` deletes the row. */
export interface RowChange<Row = unknown> {
  readonly key: string;
  readonly row: Row | null;
}

/** The rows as they were before an event: read, never changed. */
export type RowsBefore<Row = unknown> = Pick<
  ReadonlyMap<string, Row>,
  'get' | 'has' | 'size' | 'keys' | 'values' | 'entries'
>;

/** A read model: rows by key, folded from events. Disposable: it can always be rebuilt from the log. */
export interface Projection<Name extends string = string, Row = unknown, Index = unknown> {
  readonly kind: 'projection';
  readonly name: Name;
  readonly version: number;
  readonly events: EventSet;
  /** What queries may order by, beside the key: lists of fields. */
  readonly indexes: readonly (readonly string[])[];
  /** The changes that an event makes to the rows before it; none for an event it does not know. */
  project(event: RecordedEvent, rows: RowsBefore<Row>): readonly RowChange<Row>[];
  /** A row as its schema gives it; undefined where the rows were declared as a bare `shape`, which cannot tell. */
  parseRow(row: unknown): Parsed<Row> | undefined;
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

/**
 * Declares a read model of keyed rows.
 *
 * A handler gets the row of its key (`undefined` where there is none) and returns the new row, the same row or
 * `undefined` to leave it, or `null` to delete it. Rows are frozen: return new objects. A handler may not refuse an
 * event; one that throws is quarantined for this projection and reported in the status, and the projection goes on.
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
    /** With a schema that checks, rows of an older version are shown, where they fit, while new ones are built. */
    readonly row: Schema<unknown, Row> | Schema<Row>;
    readonly indexes?: readonly Index[];
    /** The key or keys of the rows that an event touches; the id of its stream unless you say otherwise. */
    readonly key?: (event: AnyEvent<Sets>) => string | readonly string[];
    readonly on?: {
      readonly [Type in keyof UnionOfSets<Sets>]?: (
        row: NoInfer<Row> | undefined,
        event: RecordedEventOf<UnionOfSets<Sets>, Type>,
        key: string,
      ) => NoInfer<Row> | null | undefined;
    };
    /**
     * In the place of `on`: says the row changes itself, for an event that touches rows which only other rows tell. It
     * reads the rows as they were before the event, and keeps nothing of its own.
     */
    readonly project?: (event: AnyEvent<Sets>, rows: RowsBefore<NoInfer<Row>>) => readonly RowChange<NoInfer<Row>>[];
  },
): Projection<Name, Row, Index> {
  requireName('projection', name);
  if ((definition.on === undefined) === (definition.project === undefined)) {
    throw new Error(`The projection "${name}" needs either handlers by event type, \`on\`, or one \`project\`.`);
  }
  // Erased once, here: the compiler checked the handlers against the declared events at the call.
  const handlers = definition.on as unknown as Handlers<Row> | undefined;
  const keysOf = definition.key as KeysOf | undefined;
  const project = definition.project as Project<Row> | undefined;
  const { version, from, row } = definition;
  const { indexes = [] } = definition;
  const source = { version, from, row: row as Schema<unknown, Row>, indexes };
  const projection: Projection<Name, Row> = toProjection(
    name,
    source,
    project ?? projectByHandlers(handlers ?? {}, keysOf),
  );
  // Which indexes they are is known to the compiler alone.
  return projection as Projection<Name, Row, Index>;
}

/** A read model that is one value. */
export interface ValueProjection<Name extends string = string, Value = unknown> extends Projection<Name, Value> {
  /** What it is before the first event. */
  readonly initialValue: Value;
}

/** The key of the one row of a `ValueProjection`. */
export const valueKey = 'value';

/**
 * Declares a read model of a single value: a count, a total, settings.
 *
 * A handler gets the value and returns the new one, or the same to leave it.
 *
 * ### Example
 * ```ts
 * const Turnover = defineValue('turnover', {
 *   version: 1,
 *   from: [AccountEvents],
 *   initialValue: { sum: 0 },
 *   on: { Deposited: ({ sum }, { data }) => ({ sum: sum + data.amount }) },
 * });
 * ```
 */
export function defineValue<const Name extends string, Sets extends readonly EventSet[], Value extends object>(
  name: Name,
  definition: {
    /** Raise it when the handlers change: the value is built anew. */
    readonly version: number;
    readonly from: readonly [...Sets];
    readonly initialValue: Value;
    readonly on: {
      readonly [Type in keyof UnionOfSets<Sets>]?: (
        value: NoInfer<Value>,
        event: RecordedEventOf<UnionOfSets<Sets>, Type>,
      ) => NoInfer<Value>;
    };
  },
): ValueProjection<Name, Value> {
  requireName('projection', name);
  const { initialValue } = definition;
  const handlers = definition.on as unknown as Record<string, (value: Value, event: RecordedEvent) => Value>;
  const onValue = Object.fromEntries(
    Object.entries(handlers).map(([type, handler]): [string, Handlers<Value>[string]] => [
      type,
      (value = initialValue, event) => handler(value, event),
    ]),
  );
  const source = { version: definition.version, from: definition.from, row: shape<Value>() as Schema<unknown, Value> };
  return {
    ...toProjection(
      name,
      source,
      projectByHandlers(onValue, () => valueKey),
    ),
    initialValue,
  };
}

type KeysOf = (event: RecordedEvent) => string | readonly string[];

interface Handlers<Row> {
  readonly [type: string]: (row: Row | undefined, event: RecordedEvent, key: string) => Row | null | undefined;
}

type Project<Row> = (event: RecordedEvent, rows: RowsBefore<Row>) => readonly RowChange<Row>[];

function toProjection<Name extends string, Row>(
  name: Name,
  {
    version,
    from,
    row: schema,
    indexes = [],
  }: {
    readonly version: number;
    readonly from: readonly EventSet[];
    readonly row: Schema<unknown, Row>;
    readonly indexes?: readonly (string | readonly string[])[];
  },
  project: Project<Row>,
): Projection<Name, Row> {
  const events: EventSet = Object.assign({}, ...from);
  return {
    kind: 'projection',
    name,
    version,
    events,
    indexes: indexes.map((index) => requireIndex(name, [index].flat())),
    parseRow: (row) => (schema['~standard'].vendor === 'varve' ? undefined : parseWith(schema, row)),
    project: (event, rows) => {
      if (!Object.hasOwn(events, event.type)) return [];
      const changes = project(event, rows);
      for (const { row } of changes) Object.freeze(row);
      return changes;
    },
  };
}

function projectByHandlers<Row>(handlers: Handlers<Row>, keysOf: KeysOf = streamKey): Project<Row> {
  return (event, rows) => {
    const handler = Object.hasOwn(handlers, event.type) ? handlers[event.type] : undefined;
    if (handler === undefined) return [];
    const keys = keysOf(event);
    const changes: RowChange<Row>[] = [];
    for (const key of typeof keys === 'string' ? [keys] : new Set(keys)) {
      const before = rows.get(key);
      const after = handler(before, event, key);
      if (after === undefined || after === before || (after === null && before === undefined)) continue;
      changes.push({ key, row: after });
    }
    return changes;
  };
}

function streamKey({ stream }: RecordedEvent): string {
  return streamIdToId(stream);
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
