import type { StandardJSONSchemaV1 } from '@standard-schema/spec';
import type { Schema } from '../../core/schema.ts';

/** A JSON Schema, draft 2020-12: `true` takes everything, `false` nothing. */
export type JsonSchema = boolean | { readonly [keyword: string]: unknown };

/** What a validator says of the values that it lets through, or why it says nothing. */
export type ToldSchema =
  | { readonly schema: JsonSchema; readonly why?: undefined }
  | { readonly schema: null; readonly why: string };

const target = 'draft-2020-12';

/**
 * The JSON Schema of what a schema gives: its output side is what is stored.
 *
 * Without what says nothing about values (titles, examples, the order of keys …), so that a lock file changes only with
 * them.
 */
export function toJsonSchema(schema: Schema): ToldSchema {
  return tell(schema, 'output');
}

/** The JSON Schema of what a schema takes. */
export function toInputJsonSchema(schema: Schema): ToldSchema {
  return tell(schema, 'input');
}

function tell(schema: Schema, side: 'input' | 'output'): ToldSchema {
  const standard: Schema['~standard'] & Partial<StandardJSONSchemaV1.Props> = schema['~standard'];
  if (standard.vendor === 'varve') return { schema: null, why: 'a bare shape: nothing is checked at run time' };
  if (standard.jsonSchema === undefined) {
    return { schema: null, why: `this version of ${standard.vendor} cannot tell a JSON Schema` };
  }
  try {
    // Through JSON, so that it is what a lock file gives back: no undefined, no cycles, nothing shared.
    const told: unknown = JSON.parse(JSON.stringify(standard.jsonSchema[side]({ target })));
    return { schema: withoutAnnotations(told as JsonSchema) };
  } catch (error) {
    return { schema: null, why: `${standard.vendor}: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** Keywords that no value can break. `format` is none of them: validators that write it check it. */
const annotations: ReadonlySet<string> = new Set(
  '$schema $id $comment $anchor title description default examples deprecated readOnly writeOnly'.split(' '),
);

/** Keywords whose value is a schema, a list of schemas, or schemas by name. */
const schemaKeywords: ReadonlySet<string> = new Set(
  'items additionalProperties propertyNames not contains if then else unevaluatedItems unevaluatedProperties'.split(
    ' ',
  ),
);
const schemaLists: ReadonlySet<string> = new Set('allOf anyOf oneOf prefixItems'.split(' '));
const schemasByName: ReadonlySet<string> = new Set(
  'properties patternProperties $defs definitions dependentSchemas'.split(' '),
);

/** Goes by place, not by name: a property may well be called "description". */
export function withoutAnnotations(schema: JsonSchema): JsonSchema {
  if (!isObject(schema)) return schema;
  const kept: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (annotations.has(keyword)) continue;
    if (schemaKeywords.has(keyword)) kept[keyword] = withoutAnnotations(value as JsonSchema);
    else if (schemaLists.has(keyword) && Array.isArray(value)) kept[keyword] = value.map(withoutAnnotations);
    else if (schemasByName.has(keyword) && isObject(value)) {
      kept[keyword] = Object.fromEntries(
        Object.entries(value).map(([name, part]) => [name, withoutAnnotations(part as JsonSchema)]),
      );
    } else if (keyword === 'required' && Array.isArray(value)) kept[keyword] = value.toSorted();
    else kept[keyword] = value;
  }
  return kept;
}

export function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether two JSON values are the same; the order of keys is none of their value. */
export function isSameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => isSameJson(item, b[index]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isSameJson(a[key], b[key]))
  );
}
