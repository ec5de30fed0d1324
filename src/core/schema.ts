import type { StandardSchemaV1 } from '@standard-schema/spec';

/** Any validator that speaks Standard Schema (zod, valibot, arktype …), or a bare type made by `shape`. */
export type Schema<Input = unknown, Output = Input> = StandardSchemaV1<Input, Output>;

/** What a schema takes. */
export type SchemaInput<S extends Schema> = StandardSchemaV1.InferInput<S>;

/** What a schema gives: the payload as it is stored. */
export type SchemaOutput<S extends Schema> = StandardSchemaV1.InferOutput<S>;

/** One thing that is wrong with a value: where, and what. */
export interface Issue {
  /** Keys from the value's root, joined by dots; empty for the root itself. */
  readonly path: string;
  readonly message: string;
}

export type Parsed<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/**
 * Declares a TypeScript type where no validation is wanted: values pass through unchecked.
 *
 * ### Example
 * ```ts
 * const Notes = defineEvents({ Noted: shape<{ text: string }>() });
 * ```
 */
export function shape<Value>(): Schema<Value> {
  // The value is trusted by the author's own choice; this is the one place where a type is taken on faith.
  return { '~standard': { version: 1, vendor: 'varve', validate: (value) => ({ value: value as Value }) } };
}

/**
 * Runs a schema.
 *
 * Throws where the schema is asynchronous: deciding happens inside a storage transaction, where nothing may be awaited.
 */
export function parseWith<S extends Schema>(schema: S, value: unknown): Parsed<SchemaOutput<S>> {
  const result = schema['~standard'].validate(value);
  if (result instanceof Promise) {
    // zod promises a result where a part of its schema throws: nobody waits for that, and nobody is to be told twice.
    result.catch(() => undefined);
    throw new Error(
      `A schema of vendor "${schema['~standard'].vendor}" validates asynchronously, or has a part that throws. ` +
        'Events and command inputs are checked inside a storage transaction, so their schemas must be synchronous.',
    );
  }
  if (result.issues === undefined) return { ok: true, value: result.value as SchemaOutput<S> };
  return { ok: false, issues: result.issues.map(({ path, message }) => ({ path: pathToText(path), message })) };
}

/** One line for an error text: `amount: expected number; owner: required`. */
export function issuesToText(issues: readonly Issue[]): string {
  return issues.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
}

function pathToText(path: StandardSchemaV1.Issue['path']): string {
  return (path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
}
