import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { Schema } from '../../core/schema.ts';
import { compareSchemas } from './compare-schemas.ts';
import { type JsonSchema, toJsonSchema } from './json-schema.ts';

const text = z.string();
const number = z.number();
const kind = (name: string, more: z.ZodRawShape = {}) => z.object({ kind: z.literal(name), ...more });

interface Tree {
  readonly name: string;
  readonly children: readonly Tree[];
}
const tree = (name: z.ZodType<string>): z.ZodType<Tree> => {
  const node: z.ZodType<Tree> = z.object({ name, children: z.array(z.lazy(() => node)) });
  return node;
};

/** What is stored, what the code says now, and where they differ: nothing where all that is stored is still taken. */
const zodCases: Record<string, readonly [stored: Schema, current: Schema, ...differences: string[]]> = {
  'the same schema': [z.object({ a: text, b: number.optional() }), z.object({ a: text, b: number.optional() })],
  'the same keys in another order': [z.object({ a: text, b: number }), z.object({ b: number, a: text })],
  'a new optional key': [z.object({ a: text }), z.object({ a: text, b: number.optional() })],
  'a new required key': [
    z.object({ a: text }),
    z.object({ a: text, b: number }),
    'b: is required now, and stored events may lack it',
  ],
  'a new key with a default, which is not filled in on reading': [
    z.object({}),
    z.object({ b: number.default(0) }),
    'b: is required now, and stored events may lack it',
  ],
  'a required key that is optional now': [z.object({ a: text }), z.object({ a: text.optional() })],
  'an optional key that is required now': [
    z.object({ a: text.optional() }),
    z.object({ a: text }),
    'a: is required now, and stored events may lack it',
  ],
  'a key that is gone': [
    z.object({ a: text, b: text }),
    z.object({ a: text }),
    'b: is stored, and has no place in the new schema',
  ],
  'a key that was never possible is gone': [z.object({ a: z.never().optional() }), z.object({})],
  'a key of another name': [
    z.object({ a: text }),
    z.object({ b: text }),
    'a: is stored, and has no place in the new schema',
    'b: is required now, and stored events may lack it',
  ],
  'an open object that is closed': [
    z.looseObject({}),
    z.object({}),
    '*: is stored, and has no place in the new schema',
  ],
  'a closed object that is open': [z.object({ a: text }), z.looseObject({ a: text })],
  'a new optional key in an open object, where anything may stand already': [
    z.looseObject({}),
    z.looseObject({ a: text.optional() }),
    'a: was anything, is string now',
  ],
  'a description': [z.object({ a: text }), z.object({ a: text.describe('whose') }).meta({ title: 'Opened' })],
  'a key that is called description': [
    z.object({ description: text }),
    z.object({ description: number }),
    'description: was string, is number now',
  ],
  'another type': [z.object({ a: text }), z.object({ a: number }), 'a: was string, is number now'],
  'a whole number that may be any': [z.int(), number],
  'any number that must be whole': [number, z.int().min(-9e15).max(9e15), ': was any number, is a whole number now'],
  'looser bounds': [number.min(1).max(9), number.min(0).max(10)],
  'bounds that are gone': [number.positive().max(9), number],
  'a narrower upper bound': [number.max(10), number.max(9), ': was at most 10, is at most 9 now'],
  'a new lower bound': [number, number.min(1), ': had no lower bound, is at least 1 now'],
  'a bound that leaves its own value out': [number.min(1), number.gt(1), ': was at least 1, is more than 1 now'],
  'the whole numbers above 0, which begin at 1': [z.int().positive(), z.int().min(1)],
  'a step that is a part of the old one': [number.multipleOf(10), number.multipleOf(5)],
  'a step that is not': [number.multipleOf(5), number.multipleOf(10), ': must be a multiple of 10 now'],
  'a longer text': [text.max(80), text.max(200)],
  'a shorter text': [text.max(200), text.max(80), ': had at most 200 characters, has at most 80 now'],
  'a text that must not be empty now': [text, text.min(1), ': had 0 characters or more, has 1 or more now'],
  'a format that is dropped': [z.iso.date(), text],
  'a new pattern': [text, text.regex(/^a/), ': must match another pattern now: ^a'],
  'a wider enum': [z.enum(['a', 'b']), z.enum(['a', 'b', 'c'])],
  'a narrower enum': [z.enum(['a', 'b']), z.enum(['a']), ': "b" is stored, and is none of its values now'],
  'an enum that is any text now': [z.enum(['a', 'b']), text.min(1).max(1)],
  'an enum whose values are too long for the text': [
    z.enum(['a', 'bb']),
    text.max(1),
    ': had at most 2 characters, has at most 1 now',
  ],
  'a text that is an enum now': [text, z.enum(['a']), ': is one of "a" now'],
  'literals that are a boolean': [z.union([z.literal(true), z.literal(false)]), z.boolean()],
  'a boolean that is both literals': [z.boolean(), z.union([z.literal(true), z.literal(false)])],
  'a boolean that is only true now': [z.boolean(), z.literal(true), ': false is stored, and is none of its values now'],
  'a value that may be null now': [text, text.nullable()],
  'a value that may not be null any more': [text.nullable(), text, ': was null, is string now'],
  'a wider union': [z.union([text, number]), z.union([number, z.boolean(), text])],
  'a narrower union': [z.union([text, number]), text, ': was number, is string now'],
  'a new form': [
    z.discriminatedUnion('kind', [kind('a'), kind('b')]),
    z.discriminatedUnion('kind', [kind('a'), kind('b', { more: text.optional() }), kind('c')]),
  ],
  'a form that is gone': [
    z.discriminatedUnion('kind', [kind('a'), kind('b')]),
    z.discriminatedUnion('kind', [kind('a'), kind('c')]),
    ': was object with kind "b", and no form of the new schema takes that',
  ],
  'a form that has changed': [
    z.discriminatedUnion('kind', [kind('a'), kind('b', { n: number })]),
    z.discriminatedUnion('kind', [kind('a'), kind('b', { n: text })]),
    'n: was number, is string now',
  ],
  'one form that is one of two now': [kind('a'), z.discriminatedUnion('kind', [kind('a'), kind('b')])],
  'an intersection that is one object': [
    z.intersection(z.object({ a: text }), z.object({ b: text })),
    z.object({ a: text, b: text }),
  ],
  'longer lists': [z.array(text).max(3), z.array(text).max(4)],
  'shorter lists': [z.array(text), z.array(text).max(4), ': had any number of items, has at most 4 now'],
  'other items': [z.array(z.object({ a: text })), z.array(z.object({ a: number })), '[].a: was string, is number now'],
  'a pair that is a list': [z.tuple([text, text]), z.array(text)],
  'a list that is a pair': [
    z.array(text),
    z.tuple([text, text]),
    '[]: is stored, and has no place in the new schema',
    ': had 0 items or more, has 2 or more now',
    ': had any number of items, has at most 2 now',
  ],
  'a longer tuple whose end is optional': [z.tuple([text]), z.tuple([text, number.optional()])],
  'a record of more': [z.record(text, z.int()), z.record(text, number)],
  'a record of other values': [z.record(text, number), z.record(text, text), '*: was number, is string now'],
  'a record of listed keys with one more': [
    z.partialRecord(z.enum(['a', 'b']), number),
    z.partialRecord(z.enum(['a', 'b', 'c']), number),
  ],
  'a record of listed keys with one less': [
    z.partialRecord(z.enum(['a', 'b']), number),
    z.partialRecord(z.enum(['a']), number),
    'b: is stored, and has no place in the new schema',
    'b: is a key that is not taken any more',
  ],
  'a record of listed keys that is an object now': [
    z.record(z.enum(['a', 'b']), number),
    z.object({ a: number, b: number, c: text.optional() }),
  ],
  'a tree': [tree(text.max(3)), tree(text)],
  'a tree whose names have changed': [
    tree(text),
    tree(text.max(3)),
    'name: had any number of characters, has at most 3 now',
    'children[].name: had any number of characters, has at most 3 now',
  ],
  'anything that is something': [z.object({ a: z.literal(1) }), z.object({ a: z.unknown() })],
};

/** What zod does not write, and others may. */
const jsonCases: Record<string, readonly [stored: JsonSchema, current: JsonSchema, ...differences: string[]]> = {
  'nothing, which fits everywhere': [false, { type: 'string' }],
  'everything, where everything is taken': [{}, {}],
  'a keyword that is not known, unchanged': [{ contentEncoding: 'base64' }, { contentEncoding: 'base64' }],
  'a keyword that is not known, beside a change': [
    { type: 'string', contentEncoding: 'base64', maxLength: 3 },
    { type: 'string', contentEncoding: 'base64', maxLength: 4 },
    ': uses "contentEncoding", which is not compared',
  ],
  'a condition that is dropped': [{ type: 'string', if: {}, else: false }, { type: 'string' }],
  'a reference that means another thing under the same name': [
    { $ref: '#/$defs/a', $defs: { a: { type: 'string' } } },
    { $ref: '#/$defs/a', $defs: { a: { const: 'x' } } },
    ': is one of "x" now',
  ],
  'a reference that leads nowhere': [
    { type: 'string' },
    { $ref: '#/$defs/a' },
    ': refers to a schema that cannot be found',
  ],
  'a schema that is only a reference to itself': [
    { type: 'string' },
    { $ref: '#' },
    ': cannot be compared: its schema refers to itself',
  ],
  'unions that hold themselves on the same level': [
    { anyOf: [{ $ref: '#' }, { type: 'string' }] },
    { anyOf: [{ $ref: '#' }, { type: 'number' }] },
    ': cannot be compared: its schema refers to itself',
  ],
  'exactly one of two that overlap': [
    { const: 3 },
    { oneOf: [{ type: 'number' }, { minimum: 1 }] },
    ': may be taken by more than one form of the new schema, which takes exactly one',
  ],
  'not what it never was': [{ type: 'string' }, { not: { type: 'number' } }],
  'not what it was': [{ type: 'string' }, { not: { const: 'a' } }, ': excludes values now that may be stored'],
  'unique items': [{ type: 'array' }, { uniqueItems: true }, ': must have no item twice now'],
  'keys by pattern': [
    { type: 'object', patternProperties: { '^a': { type: 'string' } } },
    { type: 'object', patternProperties: { '^a': { type: 'string' } }, title: 'x', maxProperties: 3 },
    ': uses "patternProperties", which are not compared',
  ],
  'a key that a pattern covered': [
    { type: 'object', patternProperties: { '^a': { type: 'string' } }, additionalProperties: false },
    { type: 'object', properties: { ab: { type: 'string' } } },
  ],
  'the number of keys': [
    { type: 'object', properties: { a: {}, b: {} }, required: ['a'], additionalProperties: false },
    { type: 'object', minProperties: 1, maxProperties: 2 },
  ],
  'fewer keys than there were': [
    { type: 'object', properties: { a: {}, b: {} }, additionalProperties: false },
    { type: 'object', minProperties: 1, maxProperties: 1 },
    ': has 1 keys or more now',
    ': has at most 1 keys now',
  ],
  'two intersections that say the same': [
    { allOf: [{ type: 'integer' }, { minimum: 3 }] },
    { allOf: [{ minimum: 2 }, { type: 'number' }] },
  ],
};

const toTexts = (stored: JsonSchema, current: JsonSchema) =>
  compareSchemas(stored, current).map(({ path, problem }) => `${path}: ${problem}`);

describe('what is stored under one schema and read under the next', () => {
  it.each(Object.entries(zodCases))('%s', (_name, [stored, current, ...differences]) => {
    const [before, now] = [toJsonSchema(stored).schema, toJsonSchema(current).schema];
    if (before === null || now === null) throw new Error('zod could not tell');
    expect(toTexts(before, now)).toEqual(differences);
  });

  it.each(Object.entries(jsonCases))('%s', (_name, [stored, current, ...differences]) => {
    expect(toTexts(stored, current)).toEqual(differences);
  });

  it('is not compared where there are too many forms of it', () => {
    const forms = (names: string) =>
      Object.fromEntries([...names].map((name) => [name, { anyOf: [{ const: 1 }, { const: 2 }, { const: 3 }] }]));
    const stored = { allOf: [...'abcdefgh'].map((name) => ({ anyOf: Object.values(forms(`${name}xyz`)) })) };
    expect(toTexts(stored, { type: 'string' })).toEqual([': has too many forms to be compared']);
  });
});
