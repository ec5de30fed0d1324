/** Largest payload of one event where the log was opened without another limit, in UTF-8 bytes of its canonical text. */
export const defaultMaxEventBytes = 65_536;

/** Largest limit that a log can be opened with. Bigger things belong beside the log, named by their hash. */
export const hardMaxEventBytes = 262_144;

/** Most tags of one event. */
export const maxTags = 32;

/** Longest names, in UTF-16 units: they stand in dictionaries that are read as a whole. */
const maxLength = {
  'command id': 256,
  'correlation id': 512,
  'causation id': 512,
  'stream id': 512,
  'event type': 256,
  tag: 256,
} as const;

export type NameKind = keyof typeof maxLength;

/** What is wrong with a name; undefined where it is fine. The system's own names start with "$". */
export function nameProblem(kind: NameKind, name: unknown): string | undefined {
  const problem = textProblem(kind, name);
  if (problem !== undefined) return problem;
  return String(name).startsWith('$') ? `its ${kind} starts with "$", which is reserved for the system` : undefined;
}

/** What is wrong with a text that may also be one of the system's. */
export function textProblem(kind: NameKind, text: unknown): string | undefined {
  if (typeof text !== 'string') return `its ${kind} is not a text`;
  if (text === '') return `its ${kind} is empty`;
  if (text.length > maxLength[kind]) return `its ${kind} is longer than ${maxLength[kind]} characters`;
  if (!text.isWellFormed() || /\p{Cc}/u.test(text)) return `its ${kind} holds a control character or a lone surrogate`;
  return undefined;
}

/** The digest covers the digits of a time: a fraction or NaN would not be the same text everywhere. */
export function timeProblem(recordedAt: unknown): string | undefined {
  if (Number.isSafeInteger(recordedAt)) return undefined;
  return `its time ${toShown(recordedAt)} is not a whole number of milliseconds`;
}

export function versionProblem(version: unknown): string | undefined {
  if (typeof version === 'number' && Number.isInteger(version) && version >= 1 && version <= 65_535) return undefined;
  return `its version ${toShown(version)} is not a whole number from 1 to 65,535`;
}

/** An object may have a `toString` that is none, also one that came as JSON. */
function toShown(value: unknown): string {
  return typeof value === 'object' ? '(an object)' : String(value);
}

/** Whether a canonical text takes more than so many UTF-8 bytes. */
export function isLargerThan(text: string, maxBytes: number): boolean {
  // A UTF-16 unit takes three UTF-8 bytes at most: the exact count is only needed near the limit.
  return text.length * 3 > maxBytes && new TextEncoder().encode(text).length > maxBytes;
}

/** Each once, so that the same tags are the same text. */
export function sortTags(tags: readonly string[]): readonly string[] {
  return [...new Set(tags)].sort();
}
