import { describe, expect, it } from 'vitest';
import { findFilter } from './filters.ts';

const todos = [false, true].map((completed) => ({ id: 'a', title: 'Buy milk', completed }));

describe('the filter of an address', () => {
  it('shows all, the active or the completed', () => {
    const shown = ['/', '/active', '/completed'].map((route) => {
      const { name, shows } = findFilter(route);
      return [name, ...todos.map(shows)];
    });
    expect(shown).toEqual([
      ['All', true, true],
      ['Active', true, false],
      ['Completed', false, true],
    ]);
  });

  it('is the one for all where the address names none, also by a name that every object has', () => {
    for (const route of ['/nothing', 'constructor', '__proto__']) expect(findFilter(route).name).toBe('All');
  });
});
