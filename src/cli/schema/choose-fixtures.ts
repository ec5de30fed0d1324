import { isObject, isSameJson } from './json-schema.ts';
import type { LockFile } from './lock-file.ts';
import type { StoredPayload } from './read-as-newest.ts';

/** So many shapes of a version are kept, and so many payloads where there are fewer shapes. */
const maxShapes = 8;
const minPayloads = 3;

/** Longer payloads are no good to read in a file; characters of JSON. */
const maxLength = 4_000;

/** Picks a few recorded payloads of each stored type and version. */
export interface FixtureChooser {
  take(payload: StoredPayload): void;
  /** What there was before, then one payload of each new shape, then others until there are three; in log order. */
  fixtures(): LockFile['fixtures'];
}

/** The same log and the same fixtures before give the same choice. */
export function createFixtureChooser(existing: LockFile['fixtures']): FixtureChooser {
  const choices = new Map<
    string,
    { readonly kept: unknown[]; readonly shapes: Set<string>; readonly spare: unknown[] }
  >();
  const choiceOf = (type: string, version: string) => {
    const key = `${type} ${version}`;
    let choice = choices.get(key);
    if (choice === undefined) {
      choice = { kept: [], shapes: new Set(), spare: [] };
      choices.set(key, choice);
    }
    return choice;
  };
  for (const [type, byVersion] of Object.entries(existing)) {
    for (const [version, payloads] of Object.entries(byVersion)) {
      const { kept, shapes } = choiceOf(type, version);
      kept.push(...payloads);
      for (const payload of payloads) shapes.add(toShape(payload));
    }
  }

  return {
    take: ({ type, version, data }) => {
      const { kept, shapes, spare } = choiceOf(type, String(version));
      const isFull = shapes.size >= maxShapes && kept.length + spare.length >= minPayloads;
      if (isFull || JSON.stringify(data).length > maxLength) return;
      const shape = toShape(data);
      if (!shapes.has(shape) && shapes.size < maxShapes) {
        shapes.add(shape);
        kept.push(data);
      } else if (spare.length < minPayloads && ![...kept, ...spare].some((known) => isSameJson(known, data))) {
        spare.push(data);
      }
    },
    fixtures: () => {
      const chosen: Record<string, Record<string, readonly unknown[]>> = {};
      for (const [key, { kept, spare }] of choices) {
        const [type = '', version = ''] = key.split(' ');
        const payloads = [...kept, ...spare.slice(0, Math.max(0, minPayloads - kept.length))];
        if (payloads.length > 0) chosen[type] = { ...chosen[type], [version]: payloads };
      }
      return chosen;
    },
  };
}

/** What a payload is made of: its keys and their types, and whether a text or a list is empty. */
function toShape(value: unknown): string {
  if (Array.isArray(value)) return `[${[...new Set(value.map(toShape))].sort().join('|')}]`;
  if (!isObject(value)) return value === '' ? 'empty' : value === null ? 'null' : typeof value;
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${toShape(value[key])}`).join()}}`;
}
