import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../testing/random.ts';
import { compareSchemas } from './compare-schemas.ts';
import { isObject, type JsonSchema } from './json-schema.ts';

const runs = 1_500;

type Random = () => number;
type Keywords = { [keyword: string]: unknown };

const pick = <Item>(random: Random, items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
const upTo = (random: Random, most: number) => Math.floor(random() * (most + 1));
const maybe = (random: Random, value: () => Keywords): Keywords => (random() < 0.4 ? value() : {});

const scalars = ['a', 'bb', 'ccc', 0, 1, 2.5, -3, true, false, null];
const keys = ['a', 'b', 'c'];
const patterns = ['^a', 'b$', '^[a-c]*$'];

/** Schemas as validators write them, and some that they do not. `#/$defs/self` is the whole schema again. */
function makeSchema(random: Random, depth: number): JsonSchema {
  const deeper = () => makeSchema(random, depth - 1);
  const makers: (() => JsonSchema)[] = [
    () => ({
      type: 'string',
      ...maybe(random, () => ({ minLength: upTo(random, 2) })),
      ...maybe(random, () => ({ maxLength: 1 + upTo(random, 3) })),
      ...maybe(random, () => ({ pattern: pick(random, patterns) })),
    }),
    () => ({
      type: pick(random, ['number', 'integer']),
      ...maybe(random, () => ({ [pick(random, ['minimum', 'exclusiveMinimum'])]: upTo(random, 4) - 2 })),
      ...maybe(random, () => ({ [pick(random, ['maximum', 'exclusiveMaximum'])]: upTo(random, 4) + 1 })),
      ...maybe(random, () => ({ multipleOf: pick(random, [1, 2, 4, 0.5]) })),
    }),
    () => ({
      enum: [pick(random, scalars), pick(random, scalars)].filter((value, index, all) => all.indexOf(value) === index),
    }),
    () => ({ const: pick(random, scalars) }),
    () => ({ type: pick(random, ['boolean', 'null']) }),
    () => ({ type: [pick(random, ['string', 'integer']), 'null'] }),
    () => pick<JsonSchema>(random, [true, {}, { not: {} }, { not: { type: 'string' } }]),
  ];
  if (depth > 0) {
    makers.push(
      () => {
        const named = keys.filter(() => random() < 0.6);
        return {
          type: 'object',
          properties: Object.fromEntries(named.map((key) => [key, deeper()])),
          required: named.filter(() => random() < 0.5),
          ...(random() < 0.7 ? { additionalProperties: random() < 0.7 ? false : deeper() } : {}),
          ...maybe(random, () => ({ [pick(random, ['minProperties', 'maxProperties'])]: upTo(random, 3) })),
        };
      },
      () => ({
        type: 'object',
        propertyNames: pick<JsonSchema>(random, [{ enum: ['a', 'b'] }, { maxLength: 1 }, { type: 'string' }]),
        additionalProperties: deeper(),
      }),
      () => ({
        type: 'object',
        patternProperties: { '^a': deeper() },
        ...maybe(random, () => ({ additionalProperties: false })),
      }),
      () => ({
        type: 'array',
        items: deeper(),
        ...maybe(random, () => ({ minItems: upTo(random, 2) })),
        ...maybe(random, () => ({ maxItems: 1 + upTo(random, 2) })),
        ...maybe(random, () => ({ uniqueItems: true })),
      }),
      () => ({
        type: 'array',
        prefixItems: [deeper(), deeper()],
        ...maybe(random, () => ({ items: false })),
        ...maybe(random, () => ({ minItems: upTo(random, 2) })),
      }),
      () => ({ [pick(random, ['anyOf', 'anyOf', 'oneOf', 'allOf'])]: [deeper(), deeper()] }),
      () => ({
        oneOf: ['a', 'b'].map((kind) => ({
          type: 'object',
          properties: { kind: { const: kind }, value: deeper() },
          required: ['kind'],
          additionalProperties: false,
        })),
      }),
      () => ({ type: 'object', properties: { a: { $ref: '#' }, b: deeper() }, required: ['b'] }),
    );
  }
  return pick(random, makers)();
}

/** A schema that is a little different somewhere: the kind of change that somebody makes to an event. */
function change(random: Random, schema: JsonSchema): JsonSchema {
  if (!isObject(schema) || random() < 0.1) return makeSchema(random, 1);
  const inner = Object.keys(schema).filter((keyword) =>
    ['properties', 'items', 'anyOf', 'oneOf', 'allOf', 'prefixItems', 'additionalProperties'].includes(keyword),
  );
  const keyword = pick(random, inner);
  const value = keyword === undefined ? undefined : schema[keyword];
  if (random() < 0.6 && Array.isArray(value)) {
    const at = upTo(random, value.length - 1);
    return { ...schema, [keyword as string]: value.map((part, index) => (index === at ? change(random, part) : part)) };
  }
  if (random() < 0.6 && isObject(value) && keyword === 'properties') {
    const key = pick(random, keys);
    const part = Object.hasOwn(value, key) ? change(random, value[key] as JsonSchema) : makeSchema(random, 1);
    return { ...schema, properties: { ...value, [key]: part } };
  }
  if (random() < 0.6 && isObject(value) && keyword !== 'properties')
    return { ...schema, [keyword as string]: change(random, value as JsonSchema) };
  const kinds: (() => JsonSchema)[] = [
    () => Object.fromEntries(Object.entries(schema).filter(() => random() < 0.8)),
    () => ({ anyOf: [schema, makeSchema(random, 1)] }),
    () => ({ allOf: [schema, makeSchema(random, 1)] }),
    () => ({ oneOf: [schema, makeSchema(random, 0)] }),
    () =>
      Object.fromEntries(
        Object.entries(schema).map(([name, number]) => [
          name,
          typeof number === 'number' ? number + (random() < 0.5 ? 1 : -0.5) : number,
        ]),
      ),
    () => ('enum' in schema ? { enum: [...new Set([...(schema.enum as unknown[]), pick(random, scalars)])] } : schema),
    () =>
      'required' in schema
        ? { ...schema, required: keys.filter(() => random() < 0.3) }
        : { ...schema, description: 'x' },
    () => ({ ...schema, ...(makeSchema(random, 0) as object) }),
  ];
  return pick(random, kinds)();
}

/** A value that is likely to satisfy the schema: the validator has the last word. */
function makeValue(random: Random, schema: unknown, root: JsonSchema, depth: number): unknown {
  if (!isObject(schema) || depth < 0 || random() < 0.03)
    return pick<unknown>(random, [...scalars, [], {}, ['a'], { a: 1 }]);
  const inside = (part: unknown) => makeValue(random, part, root, depth - 1);
  if ('$ref' in schema) return inside(root);
  if ('const' in schema) return schema.const;
  if (Array.isArray(schema.enum)) return pick(random, schema.enum);
  for (const keyword of ['anyOf', 'oneOf'])
    if (Array.isArray(schema[keyword])) return inside(pick(random, schema[keyword]));
  if (Array.isArray(schema.allOf)) {
    const parts = schema.allOf.map(inside);
    return parts.every(isObject) ? Object.assign({}, ...parts) : pick(random, parts);
  }
  const type = Array.isArray(schema.type) ? pick(random, schema.type) : schema.type;
  switch (type) {
    case 'string':
      return pick(random, ['', 'a', 'b', 'ab', 'abc', 'aabb', 'x', 'a😀']);
    case 'number':
    case 'integer':
      return (upTo(random, 16) - 6) / (type === 'integer' ? 1 : 2);
    case 'boolean':
      return random() < 0.5;
    case 'null':
      return null;
    case 'array': {
      const places = Array.isArray(schema.prefixItems) ? schema.prefixItems : [];
      return Array.from({ length: upTo(random, 3) }, (_, index) => inside(places[index] ?? schema.items));
    }
    case 'object': {
      const parts = {
        ...(schema.properties as object),
        ...(schema.patternProperties ? { ab: Object.values(schema.patternProperties)[0] } : {}),
      };
      const required = (schema.required ?? []) as string[];
      const entries = Object.entries(parts).filter(([key]) => required.includes(key) || random() < 0.5);
      const others =
        schema.additionalProperties === false ? [] : keys.filter((key) => !(key in parts) && random() < 0.4);
      return Object.fromEntries(
        [...entries, ...others.map((key) => [key, schema.additionalProperties] as const)].map(([key, part]) => [
          key,
          inside(part),
        ]),
      );
    }
    default:
      return inside(undefined);
  }
}

/** The values that are taken; undefined where the validator's own code breaks down, as it does on some odd schemas. */
function judge(values: readonly unknown[], isTaken: (value: unknown) => unknown): readonly unknown[] | undefined {
  try {
    return values.filter((value) => isTaken(value));
  } catch {
    return undefined;
  }
}

describe('the comparison of schemas', () => {
  it('calls nothing compatible that refuses what was stored', { timeout: 60_000 }, () => {
    const ajv = new Ajv2020({ strict: false, logger: false });
    const counts = { compatible: 0, changed: 0, different: 0, values: 0, told: 0 };
    for (let seed = 1; seed <= runs; seed += 1) {
      const random = createRandom(seed);
      const stored = makeSchema(random, 2);
      let current = stored;
      for (let changes = 1 + upTo(random, 2); changes > 0; changes -= 1) current = change(random, current);
      if (!ajv.validateSchema(current)) continue;
      const differences = compareSchemas(stored, current);
      const [wasTaken, isTaken] = [ajv.compile(stored), ajv.compile(current)];
      const made = Array.from({ length: 40 }, () => makeValue(random, stored, stored, 5));
      const values = judge(made, wasTaken);
      const taken = values && judge(values, isTaken);
      if (values === undefined || taken === undefined) continue;
      const refused = values.find((value) => !taken.includes(value));
      if (differences.length > 0) {
        counts.different += 1;
        if (refused !== undefined) counts.told += 1;
        continue;
      }
      counts.compatible += 1;
      counts.values += values.length;
      if (JSON.stringify(stored) !== JSON.stringify(current)) counts.changed += 1;
      expect({ seed, stored, current, refused }).toEqual({ seed, stored, current, refused: undefined });
    }
    // That it says yes often enough, and where it says no that there is mostly a reason: else this would prove nothing.
    expect(counts.changed).toBeGreaterThan(runs / 5);
    expect(counts.values).toBeGreaterThan(runs * 5);
    expect(counts.told / counts.different).toBeGreaterThan(0.8);
  });
});
