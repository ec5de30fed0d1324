/**
 * A value as a text to compare by: two that say the same have the same one, in whatever order their keys were set.
 *
 * Unlike JSON, it has what is in a Map or a Set, and keeps apart what JSON drops or makes `null`: `undefined`, NaN, the
 * infinities, bigint, dates.
 */
export function valueToText(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map(valueToText)}]`;
  // Not by `instanceof`: in some test runners `structuredClone` makes Maps of another realm.
  const tag = Object.prototype.toString.call(value);
  if (tag === '[object Map]') return `Map{${[...(value as Map<unknown, unknown>)].map(entryToText).sort()}}`;
  if (tag === '[object Set]') return `Set{${[...(value as Set<unknown>)].map(valueToText).sort()}}`;
  // A date, and whatever else has no fields to look at.
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    return `${value.constructor.name}(${valueToText(value.toJSON())})`;
  }
  return `{${Object.entries(value).map(entryToText).sort()}}`;
}

function entryToText([key, value]: readonly [unknown, unknown]): string {
  return `${valueToText(key)}:${valueToText(value)}`;
}
