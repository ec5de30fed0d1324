import type { Schema, SchemaInput, SchemaOutput } from './schema.ts';

/** How the stored forms of an event type follow one another. */
export interface VersionHistory {
  /** The schema of each version, oldest first: version 1 is at 0. */
  readonly schemas: readonly Schema[];
  /** From each version to the next: one less than there are schemas. */
  readonly upcasters: readonly ((data: never) => unknown)[];
  /** Names that the type was stored under before. */
  readonly formerTypes: readonly string[];
  /** Whether events of this type are only read. */
  readonly isDeprecated: boolean;
}

/**
 * The stored forms of an event type, and a schema itself: that of the newest form, which new events are checked with.
 *
 * Stored events are never rewritten. What reads them gets them in the newest form, by one upcaster after the other;
 * the result is not checked anew.
 */
export interface Versions<Input, Data> extends Schema<Input, Data> {
  readonly history: VersionHistory;
  /** Adds the next version. `upcast` makes of the data of this version that of the next; pure, and it must not throw. */
  to<Next extends Schema>(
    schema: Next,
    upcast: (data: Data) => SchemaOutput<Next>,
  ): Versions<SchemaInput<Next>, SchemaOutput<Next>>;
  /** Says under which names the type was stored before; its versions are counted through. */
  formerly(...types: readonly string[]): Versions<Input, Data>;
  /** From now on events of this type are only read: making one does not compile, and throws. */
  deprecated(): Versions<never, Data>;
}

/**
 * Begins the history of an event type whose stored form has changed, or whose name has.
 *
 * ### Example
 * ```ts
 * const AccountEvents = defineEvents({
 *   Withdrawn: versions(z.object({ cents: z.number() })) // as stored two years ago
 *     .to(z.object({ amount: z.number() }), ({ cents }) => ({ amount: cents / 100 })) // what the code sees today
 *     .formerly('MoneyTaken'),
 * });
 * ```
 */
export function versions<First extends Schema>(schema: First): Versions<SchemaInput<First>, SchemaOutput<First>> {
  return toVersions({ schemas: [schema], upcasters: [], formerTypes: [], isDeprecated: false });
}

/** The history of a type that was declared by `versions`, or by a bare schema. */
export function toHistory(schema: Schema | Versions<unknown, unknown>): VersionHistory {
  if ('history' in schema) return schema.history;
  return { schemas: [schema], upcasters: [], formerTypes: [], isDeprecated: false };
}

function toVersions<Input, Data>(history: VersionHistory): Versions<Input, Data> {
  const newest = history.schemas.at(-1) as Schema<Input, Data>;
  return {
    '~standard': newest['~standard'],
    history,
    to: (schema, upcast) =>
      toVersions({ ...history, schemas: [...history.schemas, schema], upcasters: [...history.upcasters, upcast] }),
    formerly: (...types) => toVersions({ ...history, formerTypes: [...history.formerTypes, ...types] }),
    deprecated: () => toVersions({ ...history, isDeprecated: true }),
  };
}
