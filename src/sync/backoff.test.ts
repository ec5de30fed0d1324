import { describe, expect, it } from 'vitest';
import { createBackoff } from './backoff.ts';

/** Always the highest draw. */
const high = { random: () => 1 - 2 ** -53 };

describe('a backoff', () => {
  it('doubles its ceiling up to five minutes, and begins anew after a success', () => {
    const backoff = createBackoff(high);
    const next = () => Math.round(backoff.next());
    expect(Array.from({ length: 10 }, next)).toEqual([
      1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000,
    ]);
    for (let attempt = 0; attempt < 2_000; attempt += 1) backoff.next();
    expect(next()).toBe(300_000);
    backoff.reset();
    expect(next()).toBe(1_000);
  });

  it('is never without a wait', () => {
    const backoff = createBackoff({ random: () => 0 });
    expect([backoff.next(), backoff.next(0)]).toEqual([250, 250]);
  });

  it('waits as long as it is told, spread by a second, and an hour at most', () => {
    expect(createBackoff({ random: () => 0 }).next(7_000)).toBe(7_000);
    expect(Math.round(createBackoff(high).next(7_000))).toBe(8_000);
    expect(createBackoff({ random: () => 0 }).next(1e15)).toBe(3_600_000);
  });

  it('overlooks what is no time', () => {
    const backoff = createBackoff(high);
    expect([Number.NaN, Number.POSITIVE_INFINITY].map((after) => Math.round(backoff.next(after)))).toEqual([
      1_000, 2_000,
    ]);
  });
});
