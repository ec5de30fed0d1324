import { valueToText } from '../engine/value-to-text.ts';

/** Throws, with both sides in the message, where two plain values differ. Works in any runner and any browser. */
export function assertEqual(actual: unknown, expected: unknown, about = ''): void {
  const left = valueToText(actual);
  const right = valueToText(expected);
  if (left === right) return;
  const start = Math.max(0, firstDifference(left, right) - 200);
  throw new Error(
    `${about === '' ? '' : `${about}: `}expected\n  ${excerpt(right, start)}\nbut got\n  ${excerpt(left, start)}`,
  );
}

/** Throws where a promise resolves, or rejects with a message that does not hold `text`. */
export async function assertRejects(promise: Promise<unknown>, text = ''): Promise<void> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => String(error),
  );
  if (outcome?.includes(text)) return;
  throw new Error(
    `expected a rejection${text === '' ? '' : ` with "${text}"`}, but it ${outcome === undefined ? 'resolved' : `rejected with: ${outcome}`}`,
  );
}

/** Throws where a promise rejects, with what was expected to work in the message. */
export async function assertResolves<Value>(promise: Promise<Value>, about: string): Promise<Value> {
  return promise.catch((error: unknown) => {
    throw new Error(`expected that it resolves: ${about}; but it rejected with: ${error}`, { cause: error });
  });
}

function firstDifference(left: string, right: string): number {
  let index = 0;
  while (index < left.length && left[index] === right[index]) index += 1;
  return index;
}

/** A thousand events on one line help nobody: what stands around the first difference. */
function excerpt(text: string, start: number): string {
  const shown = text.slice(start, start + 600);
  return `${start > 0 ? '… ' : ''}${shown}${start + 600 < text.length ? ' …' : ''}`;
}
