import type { Env } from '../core/env.ts';

/** A clock that stands still until it is told to go on. */
export interface TestClock {
  /** Milliseconds since 1970. */
  readonly now: number;
  /**
   * Goes on by so many milliseconds. Whatever falls due on the way happens at its time and in order, each with all that
   * follows from it before the next.
   */
  advance(ms: number): Promise<void>;
}

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** What stands behind a test clock. */
export interface TestTime {
  readonly clock: TestClock;
  readonly now: () => number;
  readonly callLater: NonNullable<Env['callLater']>;
  /** How many calls are waited for. */
  readonly waiting: number;
}

/** `settle` waits until all that can happen now has happened. */
export function createTestClock(start: number, settle: () => Promise<void>): TestTime {
  const timers = new Set<Timer>();
  let now = start;

  function takeDue(end: number): readonly Timer[] {
    const next = Math.min(...[...timers].map(({ at }) => at));
    if (next > end) return [];
    now = Math.max(now, next);
    const due = [...timers].filter(({ at }) => at <= now);
    for (const timer of due) timers.delete(timer);
    return due;
  }

  const callLater: NonNullable<Env['callLater']> = (run, delayMs) => {
    // As a browser does with more than it can count.
    const timer = { at: now + (delayMs > 2 ** 31 - 1 ? 1 : delayMs), run };
    timers.add(timer);
    return () => timers.delete(timer);
  };

  const clock: TestClock = {
    get now() {
      return now;
    },
    advance: async (ms) => {
      const end = now + ms;
      await settle();
      for (let due = takeDue(end); due.length > 0; due = takeDue(end)) {
        for (const { run } of due) run();
        await settle();
      }
      now = end;
    },
  };
  return {
    clock,
    now: () => now,
    callLater,
    get waiting() {
      return timers.size;
    },
  };
}
