import type { App } from '../../core/app.ts';
import type { EventDefinition } from '../../core/events.ts';
import { issuesToText, parseWith } from '../../core/schema.ts';
import { definitionOf } from './check-lock.ts';
import { compareSchemas } from './compare-schemas.ts';
import { toInputJsonSchema, toJsonSchema } from './json-schema.ts';

/** A payload as it is stored. */
export interface StoredPayload {
  readonly type: string;
  readonly version: number;
  readonly data: unknown;
}

/** How a stored payload comes out. */
export type Reading =
  | { readonly problem?: undefined; readonly wasUpcast: boolean }
  | { readonly problem: string; readonly advice: string };

/** Reads stored payloads as the app would, and then holds them to the newest schema, which the app does not. */
export function createReader(app: App): (payload: StoredPayload) => Reading {
  const isJudge = new Map<EventDefinition, boolean>();

  return ({ type, version, data }) => {
    const definition = definitionOf(app, type);
    if (definition === undefined) {
      return {
        problem: 'the code does not know the type',
        advice: `Declare it again, as ${type}: versions(…).deprecated(), or add .formerly('${type}') to its new name.`,
      };
    }
    if (version > definition.version) {
      return {
        problem: `the code knows version ${definition.version}`,
        advice: 'Put the missing version back, at the end: .to(…, (stored) => …).',
      };
    }
    let newest = deepFreeze(structuredClone(data));
    for (const [index, upcast] of definition.history.upcasters.entries()) {
      if (index < version - 1) continue;
      try {
        // The chain was typed link by link where it was declared.
        newest = deepFreeze(upcast(newest as never));
      } catch (error) {
        return {
          problem: `the upcaster from version ${index + 1} to ${index + 2} threw: ${String(error)}`,
          advice: 'An upcaster must take everything that was ever stored in its version: this was.',
        };
      }
    }
    const schema = definition.history.schemas.at(-1);
    if (!isJudge.has(definition)) isJudge.set(definition, schema !== undefined && takesWhatItGives(schema));
    const wasUpcast = version < definition.version || type !== definition.type;
    if (schema === undefined || !isJudge.get(definition)) return { wasUpcast };
    const parsed = parseWith(schema, newest);
    if (parsed.ok) return { wasUpcast };
    const given = version < definition.version ? `what the upcasters give (${JSON.stringify(newest)})` : 'it';
    return {
      problem: `the newest schema, version ${definition.version}, refuses ${given}: ${issuesToText(parsed.issues)}`,
      advice:
        version < definition.version
          ? 'Mend the upcaster, so that it gives what the newest schema takes.'
          : `Leave version ${version} as it was, and make the change as version ${version + 1}: .to(…, (stored) => …).`,
    };
  };
}

/**
 * Whether a schema can be asked about what is stored, which is its output: one that transforms takes another thing than
 * it gives. Where the vendor tells nothing at all, it is asked.
 */
function takesWhatItGives(schema: Parameters<typeof toJsonSchema>[0]): boolean {
  const given = toJsonSchema(schema).schema;
  const taken = toInputJsonSchema(schema).schema;
  if (given === null || taken === null) return !('jsonSchema' in schema['~standard']);
  return compareSchemas(given, taken).length === 0;
}

/** As the app gets it: an upcaster that writes into what is stored fails here too. */
function deepFreeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}
