/** Throws, with both sides in the message, where two plain values differ. Works in any runner and any browser. */
export function assertEqual(actual: unknown, expected: unknown, about = ''): void {
  const left = toText(actual);
  const right = toText(expected);
  if (left !== right) throw new Error(`${about === '' ? '' : `${about}: `}expected\n  ${right}\nbut got\n  ${left}`);
}

/** Throws where a promise resolves, or rejects with a message that does not hold `text`. */
export async function assertRejects(promise: Promise<unknown>, text: string): Promise<void> {
  const outcome = await promise.then(
    () => 'it resolved',
    (error: unknown) => String(error),
  );
  if (!outcome.includes(text)) throw new Error(`expected a rejection with "${text}", but ${outcome}`);
}

/** JSON with sorted keys, so that the order in which an object was built does not matter; `undefined` is kept apart. */
function toText(value: unknown): string {
  return (
    JSON.stringify(value, (_key, part: unknown) =>
      typeof part === 'object' && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
        : part,
    ) ?? 'undefined'
  );
}
