import { describe, expect, it } from 'vitest';
import { median, percentile } from './statistics.mjs';

describe('the median', () => {
  it('is the middle value, whatever the order', () => {
    expect(median([10, 2, 9])).toBe(9);
  });

  it('is between the two in the middle', () => {
    expect(median([1, 10, 2, 100])).toBe(6);
  });

  it('is undefined of nothing', () => {
    expect(median([])).toBeUndefined();
  });
});

describe('a percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);

  it('is one of the values, by nearest rank', () => {
    expect(percentile(hundred, 0.5)).toBe(50);
    expect(percentile(hundred, 0.99)).toBe(99);
    expect(percentile([7], 0.99)).toBe(7);
  });
});
