import { describe, expect, it } from 'vitest';
import { toTime } from './to-time.ts';

describe('a time of day', () => {
  it('has 24 hours, the first of which is 00', () => {
    const at = (hours: number) => new Date(2026, 0, 1, hours, 5, 9).getTime();
    expect([toTime(at(0), 'short'), toTime(at(12), 'short'), toTime(at(23), 'short')]).toEqual([
      '00:05',
      '12:05',
      '23:05',
    ]);
    expect(toTime(at(0), 'medium')).toBe('00:05:09');
  });
});
