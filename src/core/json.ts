/**
 * Freezes a payload through and through, and finds what JSON cannot carry unchanged.
 *
 * Refused: `undefined`, functions, symbols, bigint, NaN and the infinities, −0, integers beyond 2^53, lone surrogates,
 * class instances (Date, Map …), the keys `__proto__`, `constructor` and `prototype`, and nesting deeper than 64.
 * They survive IndexedDB and are then lost or changed in an export, a hash or another device.
 *
 * @returns where and what the first problem is, or nothing.
 */
export function freezeJson(value: unknown, path = '', depth = 0): string | undefined {
  if (value === null || typeof value === 'boolean') return undefined;
  if (typeof value === 'string') return value.isWellFormed() ? undefined : at(path, 'has a lone surrogate');
  if (typeof value === 'number') return numberProblem(value, path);
  if (typeof value !== 'object')
    return at(path, `is ${typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`}`);
  if (depth >= 64) return at(path, 'is nested deeper than 64 levels');
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      const problem = freezeJson(item, path === '' ? `${index}` : `${path}.${index}`, depth + 1);
      if (problem !== undefined) return problem;
    }
  } else {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) return at(path, `is a ${value.constructor.name}`);
    for (const [key, item] of Object.entries(value)) {
      const keyPath = path === '' ? key : `${path}.${key}`;
      if (forbiddenKeys.has(key)) return at(keyPath, 'is a forbidden key');
      if (!key.isWellFormed()) return at(keyPath, 'has a lone surrogate in its key');
      const problem = freezeJson(item, keyPath, depth + 1);
      if (problem !== undefined) return problem;
    }
  }
  Object.freeze(value);
  return undefined;
}

const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype']);

function numberProblem(value: number, path: string): string | undefined {
  if (!Number.isFinite(value)) return at(path, `is ${value}`);
  if (Object.is(value, -0)) return at(path, 'is -0');
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) return at(path, 'is an integer beyond 2^53');
  return undefined;
}

function at(path: string, what: string): string {
  return `${path === '' ? 'the value' : `"${path}"`} ${what}`;
}
