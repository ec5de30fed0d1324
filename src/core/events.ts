import { issuesToText, parseWith, type Schema, type SchemaInput, type SchemaOutput } from './schema.ts';
import { toHistory, type VersionHistory } from './versions.ts';

/** An event that was decided and is not yet stored. */
export interface NewEvent<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly data: Data;
  /** What the event is about, besides its stream: decisions and reads across streams find it by these. */
  readonly tags?: readonly string[];
}

/** Nothing has to be given where nothing has to be said: `Closed()` for `Closed({})`. */
export type OptionalData<Input> = Record<never, never> extends Input ? readonly [data?: Input] : readonly [data: Input];

/** Makes an event of one type; called with the payload, which its schema checks, and what it is to be found by. */
export interface EventDefinition<Type extends string = string, Input = never, Data = unknown> {
  (...args: readonly [...OptionalData<Input>, tags?: readonly string[]]): NewEvent<Type, Data>;
  readonly type: Type;
  /** Schema number that new events of this type are stored with. */
  readonly version: number;
  /** The forms that events of this type may be stored in. */
  readonly history: VersionHistory;
}

/** Events by type, as `defineEvents` returns them. Sets are plain objects: `{ ...OrderEvents, ...PaymentEvents }` is one. */
export interface EventSet {
  readonly [type: string]: EventDefinition;
}

/** Lineage and time of a stored event; never used for order. */
export interface EventMeta {
  readonly commandId: string;
  /** Root of the chain of commands and events that this event belongs to; the command's own id where it is the root. */
  readonly correlationId: string;
  /** Id of the event or command that caused the command, if it was told. */
  readonly causationId?: string;
  /** When the log stored it: milliseconds since 1970 by this device's clock. */
  readonly recordedAt: number;
}

/** A stored event. The payload keeps its own shape; everything else stands around it. */
export interface RecordedEvent<Type extends string = string, Data = unknown> {
  /** Command id and place in its commit: the same however often the command is sent. */
  readonly id: string;
  readonly stream: string;
  /** Place in the stream, from 0 without gaps. */
  readonly revision: number;
  /** Place in the whole log, from 1 without gaps. */
  readonly position: number;
  readonly type: Type;
  /** Schema number that it was stored with; `data` is in the newest form, unless this build of the app cannot read it. */
  readonly version: number;
  readonly data: Data;
  /** Sorted, each once; absent where there are none. */
  readonly tags?: readonly string[];
  readonly meta: EventMeta;
}

/** The stored form of the event `Type` of a set. */
export type RecordedEventOf<Events, Type extends keyof Events> = Events[Type] extends (
  data: never,
) => NewEvent<infer Name, infer Data>
  ? RecordedEvent<Name, Data>
  : never;

type UnionToIntersection<Union> = (Union extends unknown ? (value: Union) => void : never) extends (
  value: infer Intersection,
) => void
  ? Intersection
  : never;

/** Several sets as one. */
export type UnionOfSets<Sets extends readonly EventSet[]> = UnionToIntersection<Sets[number]>;

/** The stored form of any event of several sets. */
export type AnyEvent<Sets extends readonly EventSet[]> = {
  [Type in keyof UnionOfSets<Sets>]: RecordedEventOf<UnionOfSets<Sets>, Type>;
}[keyof UnionOfSets<Sets>];

/** Any new event of a set. */
export type NewEventOf<Events> = {
  [Type in keyof Events]: Events[Type] extends (data: never) => infer Event ? Event : never;
}[keyof Events];

/**
 * Declares events by type: past tense, PascalCase, unique in the app; the payload as a schema or a bare `shape`.
 *
 * An event maker throws where the payload does not fit its schema: by then a command has been accepted, so it is a bug.
 *
 * ### Example
 * ```ts
 * const AccountEvents = defineEvents({ Opened: z.object({ owner: z.string() }) });
 * AccountEvents.Opened({ owner: 'Ada' }); // { type: 'Opened', data: { owner: 'Ada' } }
 * ```
 */
export function defineEvents<const Schemas extends { readonly [type: string]: Schema }>(
  schemas: Schemas,
): {
  readonly [Type in keyof Schemas & string]: EventDefinition<
    Type,
    SchemaInput<Schemas[Type]>,
    SchemaOutput<Schemas[Type]>
  >;
} {
  const definitions: Record<string, EventDefinition<string, unknown>> = {};
  for (const [type, schema] of Object.entries(schemas)) {
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(type)) {
      throw new Error(
        `The event type "${type}" cannot be used: types start with a letter and hold letters, digits and "_" only ("$" is reserved).`,
      );
    }
    definitions[type] = defineEvent(type, schema);
  }
  // Built key by key from `schemas`, which the mapped type describes; TypeScript cannot follow the loop.
  return definitions as never;
}

function defineEvent(type: string, schema: Schema): EventDefinition<string, unknown> {
  const history = toHistory(schema);
  const make = (data: unknown = {}, tags: readonly string[] = []): NewEvent => {
    if (history.isDeprecated) {
      throw new Error(
        `A new "${type}" event was made, but the type is deprecated: it is only read. Nothing was stored. ` +
          'Decide an event of the type that took its place.',
      );
    }
    const parsed = parseWith(schema, data);
    if (!parsed.ok) {
      throw new Error(
        `The payload of a new "${type}" event does not fit its schema: ${issuesToText(parsed.issues)}. Nothing was stored. ` +
          'Check the input of the command, or widen the schema of the event.',
      );
    }
    return { type, data: parsed.value, ...(tags.length === 0 ? {} : { tags }) };
  };
  return Object.assign(make, { type, version: history.schemas.length, history });
}
