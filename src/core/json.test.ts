import { describe, expect, it } from 'vitest';
import { freezeJson } from './json.ts';

describe('freezeJson', () => {
  it('accepts what JSON carries unchanged', () => {
    const value = { text: 'ä', amount: 1.5, none: null, list: [1, { deep: true }] };
    expect(freezeJson(value)).toBeUndefined();
    expect(JSON.parse(JSON.stringify(value))).toEqual(value);
  });

  it('freezes every level', () => {
    const value = { list: [{ deep: 1 }] };
    freezeJson(value);
    expect(() => value.list.push({ deep: 2 })).toThrow();
    expect(Object.isFrozen(value.list[0])).toBe(true);
  });

  it.each([
    [{ a: undefined }, '"a" is undefined'],
    [{ a: [1, Number.NaN] }, '"a.1" is NaN'],
    [{ a: -0 }, '"a" is -0'],
    [{ a: 2 ** 53 }, '"a" is an integer beyond 2^53'],
    [{ a: 1n }, '"a" is a bigint'],
    [{ a: '\ud800' }, '"a" has a lone surrogate'],
    [{ a: new Date(0) }, '"a" is a Date'],
    [JSON.parse('{"__proto__":1}'), '"__proto__" is a forbidden key'],
    [() => 1, 'the value is a function'],
  ])('refuses %o', (value, problem) => {
    expect(freezeJson(value)).toBe(problem);
  });

  it('refuses nesting deeper than 64 levels', () => {
    let value: unknown = 1;
    for (let level = 0; level < 65; level += 1) value = [value];
    expect(freezeJson(value)).toContain('deeper than 64');
  });
});
