import { isId } from './id.ts';

/** A value in its type; or where it is wrong, and how. */
export type Parsed<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly path: string; readonly text: string };

/** Reads a part of a message. Throws `Refusal`, which `parseWith` catches. */
export type Reader<Value> = (value: unknown, path: string) => Value;

export class Refusal extends Error {
  readonly path: string;

  constructor(path: string, text: string) {
    super(text);
    this.path = path;
  }
}

/** Runs a reader; nothing that was received throws. */
export function parseWith<Value>(read: Reader<Value>, value: unknown): Parsed<Value> {
  try {
    return { ok: true, value: read(value, '') };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { ok: false, path: error.path, text: error.message };
  }
}

export type Fields = { readonly [name: string]: unknown };

/** An object of which every field is known: a request that asks for more than is understood must not be half obeyed. */
export function readStrict(value: unknown, path: string, known: readonly string[]): Fields {
  const fields = readObject(value, path);
  for (const name of Object.keys(fields)) {
    if (!known.includes(name)) throw new Refusal(at(path, name.slice(0, 64)), 'is not a field of this message');
  }
  return fields;
}

/** An object whose further fields are overlooked: a reply of a newer server may say more. */
export function readObject(value: unknown, path: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Refusal(path, 'is not an object');
  return value as Fields;
}

export function readArray<Item>(
  value: unknown,
  path: string,
  { min = 0, max }: { readonly min?: number; readonly max: number },
  read: Reader<Item>,
): readonly Item[] {
  if (!Array.isArray(value)) throw new Refusal(path, 'is not an array');
  if (value.length < min || value.length > max) {
    throw new Refusal(path, `has ${value.length} items, and ${min} to ${max} are allowed`);
  }
  return Array.from(value, (item, index) => read(item, at(path, `${index}`)));
}

/** A whole number that JSON carries unchanged. */
export function readInteger(value: unknown, path: string, min = 0, max: number = Number.MAX_SAFE_INTEGER): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || Object.is(value, -0) || value < min || value > max) {
    throw new Refusal(path, `is not a whole number from ${min} to ${max}`);
  }
  return value;
}

/** A text of 1 to `max` UTF-16 units without lone surrogates. */
export function readText(value: unknown, path: string, max: number): string {
  if (typeof value !== 'string' || value === '' || value.length > max || !value.isWellFormed()) {
    throw new Refusal(path, `is not a text of 1 to ${max} characters`);
  }
  return value;
}

/** A text that a server stores: PostgreSQL's texts hold no U+0000. */
export function readStoredText(value: unknown, path: string, max: number): string {
  const text = readText(value, path, max);
  if (text.includes('\0')) throw new Refusal(path, `is not a text of 1 to ${max} characters without U+0000`);
  return text;
}

/** An id that stands in addresses and keys as it is. */
export function readId(value: unknown, path: string): string {
  if (typeof value !== 'string' || !isId(value)) {
    throw new Refusal(path, 'is not an id: 1 to 128 letters, digits, ".", "_" or "-"');
  }
  return value;
}

export function readHash(value: unknown, path: string): string {
  if (typeof value !== 'string' || !/^[0-9a-f]{64}$/.test(value)) {
    throw new Refusal(path, 'is not a hash: 64 lower-case hexadecimal digits');
  }
  return value;
}

export function readOneOf<Choice extends string>(value: unknown, path: string, choices: readonly Choice[]): Choice {
  const choice = choices.find((one) => one === value);
  if (choice === undefined) throw new Refusal(path, `is not one of ${choices.join(', ')}`);
  return choice;
}

export function at(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
