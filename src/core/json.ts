/** A value's text by RFC 8785 (JCS) and the value that this text reads as; or what JSON cannot carry unchanged. */
export type CanonicalJson = { readonly text: string; readonly data: unknown } | { readonly problem: string };

/**
 * Freezes a payload through and through and writes its canonical text: keys sorted by UTF-16 code units, no spaces,
 * numbers and strings as ECMAScript writes them.
 *
 * Refused: `undefined`, functions, symbols, bigint, NaN and the infinities, −0, integers beyond 2^53, lone surrogates,
 * class instances (Date, Map …), the keys `__proto__`, `constructor` and `prototype`, and nesting deeper than 64.
 * They survive IndexedDB and are then lost or changed in an export, a hash or another device.
 *
 * Keys that are not sorted come back sorted: an event is the same whether it was just appended or read from the log.
 */
export function toCanonicalJson(value: unknown): CanonicalJson {
  const found = { sorted: true };
  const problem = freeze(value, found, '', 0);
  if (problem !== undefined) return { problem };
  if (found.sorted) return { text: JSON.stringify(value), data: value };
  const text = toSortedText(value);
  const data: unknown = JSON.parse(text);
  freeze(data, found, '', 0);
  return { text, data };
}

/**
 * A payload as it is read from the log: keys sorted, and frozen through and through. It is a copy where they were not.
 *
 * Nothing is checked: what `toCanonicalJson` refuses is left for it to refuse. So it takes a small part of its time, and
 * where keys were not sorted it saves more than that.
 */
export function toStoredForm(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? (sortKeys(value, 0) ?? value) : value;
}

/** Undefined where it is no plain JSON, or is endless: a copy of a class instance would pass for a plain object. */
function sortKeys(value: object, depth: number): object | undefined {
  if (depth >= maxDepth) return undefined;
  if (Array.isArray(value)) return sortItems(value, depth);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return undefined;
  let isSorted = true;
  let before = '';
  let copied: Map<string, object> | undefined;
  for (const key in value) {
    if (key < before) isSorted = false;
    before = key;
    const item: unknown = (value as Record<string, unknown>)[key];
    if (typeof item !== 'object' || item === null) continue;
    const sorted = sortKeys(item, depth + 1);
    if (sorted === undefined) return undefined;
    if (sorted !== item) copied = (copied ?? new Map()).set(key, sorted);
  }
  if (isSorted && copied === undefined) return Object.freeze(value);
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.freeze(Object.fromEntries(fields.map(([key, item]) => [key, copied?.get(key) ?? item])));
}

function sortItems(items: readonly unknown[], depth: number): object | undefined {
  let copy: unknown[] | undefined;
  for (const [at, item] of items.entries()) {
    if (typeof item !== 'object' || item === null) continue;
    const sorted = sortKeys(item, depth + 1);
    if (sorted === undefined) return undefined;
    if (sorted === item) continue;
    copy ??= [...items];
    copy[at] = sorted;
  }
  return Object.freeze(copy ?? items);
}

function freeze(value: unknown, found: { sorted: boolean }, path: string, depth: number): string | undefined {
  if (value === null || typeof value === 'boolean') return undefined;
  if (typeof value === 'string') return value.isWellFormed() ? undefined : at(path, 'has a lone surrogate');
  if (typeof value === 'number') return numberProblem(value, path);
  if (typeof value !== 'object')
    return at(path, `is ${typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`}`);
  if (depth >= maxDepth) return at(path, 'is nested deeper than 64 levels');
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      if (isFine(item)) continue;
      const problem = freeze(item, found, path === '' ? `${index}` : `${path}.${index}`, depth + 1);
      if (problem !== undefined) return problem;
    }
  } else {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) return at(path, `is a ${value.constructor.name}`);
    let before = '';
    for (const key of Object.keys(value)) {
      if (forbiddenKeys.has(key)) return at(within(path, key), 'is a forbidden key');
      if (!key.isWellFormed()) return at(within(path, key), 'has a lone surrogate in its key');
      if (key < before) found.sorted = false;
      before = key;
      const item: unknown = (value as Record<string, unknown>)[key];
      // The path is built only where it leads somewhere: this runs for every field of every event.
      if (isFine(item)) continue;
      const problem = freeze(item, found, within(path, key), depth + 1);
      if (problem !== undefined) return problem;
    }
  }
  Object.freeze(value);
  return undefined;
}

/** Not by sorting the object's keys: objects keep keys like "10" and "2" in the order of numbers. */
function toSortedText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(toSortedText).join(',')}]`;
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([key, item]) => `${JSON.stringify(key)}:${toSortedText(item)}`).join(',')}}`;
}

const maxDepth = 64;

const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype']);

/** Whether it holds nothing else, and JSON carries it unchanged. */
function isFine(item: unknown): boolean {
  if (typeof item === 'string') return item.isWellFormed();
  if (typeof item === 'number') return numberProblem(item, '') === undefined;
  return item === null || typeof item === 'boolean';
}

function numberProblem(value: number, path: string): string | undefined {
  if (!Number.isFinite(value)) return at(path, `is ${value}`);
  if (Object.is(value, -0)) return at(path, 'is -0');
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) return at(path, 'is an integer beyond 2^53');
  return undefined;
}

function within(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

function at(path: string, what: string): string {
  return `${path === '' ? 'the value' : `"${path}"`} ${what}`;
}
