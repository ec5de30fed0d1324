import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { assertEqual } from './assert.ts';

describe('assertEqual', () => {
  it.each([
    [{ a: 1 }, { a: 2 }],
    [{ a: undefined }, {}],
    [[undefined], [null]],
    [Number.NaN, null],
    [Number.POSITIVE_INFINITY, null],
    [1n, 2n],
    [1n, 1],
    [new Map([['a', 1]]), new Map()],
    [new Map(), {}],
    [new Set(['a']), new Set()],
    [new Set(), []],
    [new Date(0), new Date(0).toJSON()],
    [{ at: new Date(0) }, { at: new Date(1) }],
    ['undefined', undefined],
  ])('tells %o from %o', (actual, expected) => {
    expect(() => assertEqual(actual, expected)).toThrow('expected');
    assertEqual(actual, structuredClone(actual));
  });

  it('looks into Maps and Sets of another realm', () => {
    const foreign = runInNewContext('[new Map([["a", 1]]), new Set(["a"])]');
    assertEqual(foreign, [new Map([['a', 1]]), new Set(['a'])]);
    expect(() => assertEqual(foreign, [new Map(), new Set()])).toThrow('expected');
  });

  it('leaves the order of keys out of account, and names what differs', () => {
    assertEqual({ a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 });
    expect(() => assertEqual({ to: 'a', days: undefined }, { to: 'a' }, 'The state')).toThrow(
      'The state: expected\n  {"to":"a"}\nbut got\n  {"days":undefined,"to":"a"}',
    );
  });
});
