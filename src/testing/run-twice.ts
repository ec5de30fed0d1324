import { assertEqual } from './assert.ts';

/** Runs what must be pure a second time, and throws where it answers otherwise. */
export function runTwice<Answer>(what: string, run: () => Answer): Answer {
  const first = run();
  assertEqual(run(), first, `${what} answered otherwise the second time: it must be made of its arguments alone`);
  return first;
}
