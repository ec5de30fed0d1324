import { describe, expect, it } from 'vitest';
import { hashTerm, toBlock } from './segment-index.ts';
import { createTermFilter } from './term-filter.ts';

describe('the filter of terms', () => {
  const termsFrom = (start: number, count: number) =>
    Array.from({ length: count }, (_, index) => hashTerm(`term ${start + index}`));
  const blockOf = (terms: readonly number[]) => toBlock([{ first: 1, last: 9, terms: new Set(terms) }]);

  it('knows every term that a block holds, and few that none does', () => {
    const held = termsFrom(0, 20_000);
    const filter = createTermFilter([blockOf(held.slice(0, 10_000))]);
    expect(filter.add([blockOf(held.slice(10_000))])).toBe(true);
    expect(held.every((term) => filter.mayHold(term))).toBe(true);
    const strange = termsFrom(1_000_000, 10_000).filter((term) => filter.mayHold(term));
    expect(strange.length).toBeLessThan(1_300);
  });

  it('is full at some point, and then takes nothing more', () => {
    const filter = createTermFilter([]);
    const terms = termsFrom(0, 20_000);
    expect(filter.add([blockOf(terms.slice(0, 8_000))])).toBe(true);
    expect(filter.add([blockOf(terms.slice(8_000))])).toBe(false);
    expect(terms.slice(8_000).filter((term) => filter.mayHold(term)).length).toBeLessThan(1_800);
  });

  it('knows nothing where there is nothing', () => {
    expect(createTermFilter([]).mayHold(0)).toBe(false);
  });
});
