import { isObject, type JsonSchema } from './json-schema.ts';

/** One version of an event type, as it is stored. */
export interface LockedVersion {
  readonly version: number;
  /** `null` where the schema's vendor cannot tell: then nothing is compared. */
  readonly schema: JsonSchema | null;
}

export interface LockedEvent {
  /** Names that the type was stored under before. */
  readonly formerly?: readonly string[];
  readonly deprecated?: true;
  /** Oldest first. */
  readonly versions: readonly LockedVersion[];
}

/** What is stored of an app, as a file beside its code: what `schema check` holds the code to. */
export interface LockFile {
  readonly varve: 'schema-lock';
  /** Number of this file format. */
  readonly format: 1;
  readonly app: string;
  readonly events: { readonly [type: string]: LockedEvent };
  /** Payloads as they were stored, by stored type and version. */
  readonly fixtures: { readonly [type: string]: { readonly [version: string]: readonly unknown[] } };
}

/** Throws with what is wrong with it and what to do. */
export function parseLock(text: string, file: string): LockFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const conflict = text.includes('<<<<<<<') ? ' It has the marks of a merge conflict: keep both sides of it.' : '';
    throw new Error(`${file} is not JSON: ${String(error)}.${conflict} Mend it, or take it from the last commit.`);
  }
  const { varve, format, app, events, fixtures } = Object(value) as Record<string, unknown>;
  if (varve !== 'schema-lock' || typeof app !== 'string' || !isObject(events) || !isObject(fixtures)) {
    throw new Error(
      `${file} is not a lock file of varve. Name the right one with --file, or take it from the last commit.`,
    );
  }
  if (format !== 1) {
    throw new Error(`${file} has the format ${String(format)}, and this version of varve reads 1. Update varve.`);
  }
  for (const [type, event] of Object.entries(events)) {
    const { versions } = Object(event) as Partial<LockedEvent>;
    const isWhole = Array.isArray(versions) && versions.every((one, index) => one.version === index + 1);
    if (!isWhole)
      throw new Error(
        `${file} is damaged: the versions of "${type}" are not 1, 2, 3 … in order. Take it from the last commit.`,
      );
  }
  return value as LockFile;
}

/** The same text for the same content: sorted, one fact a line where it is long, so that a diff shows what has changed. */
export function printLock({ varve, format, app, events, fixtures }: LockFile): string {
  const sorted = {
    varve,
    format,
    app,
    events: mapValues(events, ({ formerly, deprecated, versions }) => ({
      ...(formerly === undefined ? {} : { formerly }),
      ...(deprecated === undefined ? {} : { deprecated }),
      versions: versions.map(({ version, schema }) => ({ version, schema: sortKeys(schema) })),
    })),
    fixtures: mapValues(fixtures, (byVersion) => mapValues(byVersion, (payloads) => payloads.map(sortKeys))),
  };
  return `${print(sorted, '', 0)}\n`;
}

const width = 100;

function print(value: unknown, indent: string, used: number): string {
  const line = printLine(value);
  if (indent !== '' && used + line.length <= width) return line;
  const inner = `${indent}  `;
  if (Array.isArray(value) && value.length > 0) {
    const items = value.map((item) => `${inner}${print(item, inner, inner.length + 1)}`);
    return `[\n${items.join(',\n')}\n${indent}]`;
  }
  if (isObject(value) && Object.keys(value).length > 0) {
    const entries = Object.entries(value).map(([key, part]) => {
      const name = `${JSON.stringify(key)}: `;
      return `${inner}${name}${print(part, inner, inner.length + name.length + 1)}`;
    });
    return `{\n${entries.join(',\n')}\n${indent}}`;
  }
  return line;
}

function printLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(printLine).join(', ')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, part]) => `${JSON.stringify(key)}: ${printLine(part)}`);
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  return isObject(value) ? mapValues(value, sortKeys) : value;
}

function mapValues<Value, Result>(
  values: { readonly [key: string]: Value },
  map: (value: Value) => Result,
): { readonly [key: string]: Result } {
  // Built of entries, so that a key may be called "__proto__"; numbers among them come first, as in every object.
  return Object.fromEntries(
    Object.keys(values)
      .sort()
      .map((key) => [key, map(values[key] as Value)]),
  );
}
