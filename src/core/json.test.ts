import { describe, expect, it } from 'vitest';
import { toCanonicalJson, toStoredForm } from './json.ts';

const textOf = (value: unknown) => {
  const canonical = toCanonicalJson(value);
  return 'text' in canonical ? canonical.text : canonical.problem;
};

describe('toCanonicalJson', () => {
  it('writes what JSON carries unchanged', () => {
    const value = { amount: 1.5, list: [1, { deep: true }], none: null, text: 'ä' };
    expect(textOf(value)).toBe('{"amount":1.5,"list":[1,{"deep":true}],"none":null,"text":"ä"}');
  });

  it('sorts keys by UTF-16 code units at every level, as RFC 8785 shows', () => {
    const value = { '€': 1, '\r': 2, '\ufb33': 3, '1': 4, '😀': 5, '\u0080': 6, ö: [{ b: 1, a: 2 }] };
    expect(textOf(value)).toBe('{"\\r":2,"1":4,"\u0080":6,"ö":[{"a":2,"b":1}],"€":1,"😀":5,"\ufb33":3}');
    expect(textOf({ '10': 1, '2': 2 })).toBe('{"10":1,"2":2}');
  });

  it('writes numbers as RFC 8785 does', () => {
    expect(textOf([Number('333333333.33333329'), 4.5, 2e-3, 1e-27, 9007199254740991])).toBe(
      '[333333333.3333333,4.5,0.002,1e-27,9007199254740991]',
    );
  });

  it('gives back the value that the text reads as, in the order of the text', () => {
    const canonical = toCanonicalJson({ b: { d: 1, c: 2 }, a: 3 });
    expect('data' in canonical && JSON.stringify(canonical.data)).toBe('{"a":3,"b":{"c":2,"d":1}}');
  });

  it('freezes every level, also of a value that it had to sort', () => {
    for (const value of [{ list: [{ deep: 1 }] }, { z: 1, list: [{ deep: 1 }] }]) {
      const canonical = toCanonicalJson(value);
      const data = ('data' in canonical ? canonical.data : {}) as typeof value;
      expect(Object.isFrozen(data)).toBe(true);
      expect(Object.isFrozen(data.list[0])).toBe(true);
    }
  });

  it.each([
    [{ a: undefined }, '"a" is undefined'],
    [{ a: [1, Number.NaN] }, '"a.1" is NaN'],
    [{ a: { b: [{ c: -0 }] } }, '"a.b.0.c" is -0'],
    [{ a: 2 ** 53 }, '"a" is an integer beyond 2^53'],
    [{ a: 1n }, '"a" is a bigint'],
    [{ a: '\ud800' }, '"a" has a lone surrogate'],
    [{ '\ud800': 1 }, '"\ud800" has a lone surrogate in its key'],
    [{ a: new Date(0) }, '"a" is a Date'],
    [{ a: new Array(1) }, '"a.0" is undefined'],
    [JSON.parse('{"__proto__":1}'), '"__proto__" is a forbidden key'],
    [() => 1, 'the value is a function'],
  ])('refuses %o', (value, problem) => {
    expect(textOf(value)).toBe(problem);
  });

  it('refuses nesting deeper than 64 levels', () => {
    let value: unknown = 1;
    for (let level = 0; level < 65; level += 1) value = [value];
    expect(textOf(value)).toContain('deeper than 64');
  });
});

describe('toStoredForm', () => {
  it.each([
    { a: 1, b: [{ c: null, d: 'text' }] },
    { b: { d: 1, c: [{ f: 2, e: 3 }] }, a: [] },
    { '10': 1, '2': 2 },
    [{ z: 1, a: 2 }, 3],
    Object.assign(Object.create(null), { b: 1, a: 2 }),
    'text',
    null,
  ])('gives back %j as its text reads', (value) => {
    const stored = toStoredForm(value);
    expect(JSON.stringify(stored)).toBe(JSON.stringify(JSON.parse(textOf(structuredClone(value)))));
    for (const part of [stored, Object.values(stored ?? {})[0]]) expect(Object.isFrozen(part)).toBe(true);
  });

  it('gives back the very same value where its keys are sorted', () => {
    const value = { a: [{ b: 1 }], c: 'text' };
    expect(toStoredForm(value)).toBe(value);
  });

  it('leaves what cannot be stored as it is, to be refused', () => {
    const endless: Record<string, unknown> = {};
    endless.left = endless;
    endless.right = endless;
    const unsorted = (refused: unknown) => ({ z: 1, a: { z: refused, a: 1 } });
    const values = [
      new Date(0),
      new Uint8Array(2),
      new Map(),
      undefined,
      -0,
      JSON.parse('{"b":1,"__proto__":{"c":1}}'),
    ];
    for (const value of [endless, ...values, ...values.map(unsorted), [new Array(1)]]) {
      const problem = toCanonicalJson(value);
      expect(problem).toHaveProperty('problem');
      expect(toCanonicalJson(toStoredForm(value))).toEqual(problem);
    }
  });
});
