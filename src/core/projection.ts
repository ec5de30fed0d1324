import type { AnyEvent, EventSet, RecordedEvent, RecordedEventOf, UnionOfSets } from './events.ts';
import type { Schema } from './schema.ts';
import { requireName, streamIdToId } from './stream-id.ts';

/** One change of a projection's rows; `null` deletes the row. */
export interface RowChange<Row = unknown> {
  readonly key: string;
  readonly row: Row | null;
}

/** A read model: rows by key, folded from events. Disposable: it can always be rebuilt from the log. */
export interface Projection<Name extends string = string, Row = unknown> {
  readonly kind: 'projection';
  readonly name: Name;
  readonly version: number;
  readonly events: EventSet;
  /** The changes that an event makes, given how to look a row up; none for an event it does not know. */
  project(event: RecordedEvent, rowOf: (key: string) => Row | undefined): readonly RowChange<Row>[];
  /** Never there at run time: it carries the type of the rows. */
  readonly rowType?: Row;
}

export type RowOf<P extends Projection> = NonNullable<P['rowType']>;

/**
 * Declares a read model of keyed rows.
 *
 * A handler gets the row of its key (`undefined` where there is none) and returns the new row, the same row or
 * `undefined` to leave it, or `null` to delete it. Rows are frozen: return new objects. A handler may not refuse an
 * event; one that throws is skipped and reported in the status, and the projection goes on.
 *
 * ### Example
 * ```ts
 * const Balances = defineProjection('balances', {
 *   version: 1,
 *   from: [AccountEvents],
 *   row: shape<{ owner: string; balance: number }>(),
 *   on: {
 *     Opened: (_row, { data }) => ({ owner: data.owner, balance: 0 }),
 *     Deposited: (row, { data }) => row && { ...row, balance: row.balance + data.amount },
 *   },
 * });
 * ```
 */
export function defineProjection<const Name extends string, Sets extends readonly EventSet[], Row extends object>(
  name: Name,
  definition: {
    /** Raise it when the handlers change: the rows are built anew. */
    readonly version: number;
    readonly from: readonly [...Sets];
    readonly row: Schema<unknown, Row> | Schema<Row>;
    /** The key or keys of the rows that an event touches; the id of its stream unless you say otherwise. */
    readonly key?: (event: AnyEvent<Sets>) => string | readonly string[];
    readonly on: {
      readonly [Type in keyof UnionOfSets<Sets>]?: (
        row: NoInfer<Row> | undefined,
        event: RecordedEventOf<UnionOfSets<Sets>, Type>,
        key: string,
      ) => NoInfer<Row> | null | undefined;
    };
  },
): Projection<Name, Row> {
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

/** What a projection's rows are made by: its name and version, and every event type that it reads with its version. Rows of another signature are folded anew. */
export function projectionSignature({ name, version, events }: Projection): string {
  const types = Object.values(events).map((event) => `${event.type}@${event.version}`);
  return [`${name}@${version}`, ...types.sort()].join(' ');
}
