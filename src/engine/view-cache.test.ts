import { expect, it } from 'vitest';
import { view } from '../core/view.ts';
import { createViewCache } from './view-cache.ts';

it('forgets the state that was used longest ago once it has a thousand', () => {
  const cache = createViewCache();
  const countOf = view({ from: [], initialState: () => 0, on: {} });
  const views = Array.from({ length: 1_001 }, (_, index) => countOf(`tag:${index}`));
  for (const [index, each] of views.entries()) {
    if (index === 1_000) cache.get(countOf('tag:0'));
    cache.set(each, { state: index, position: 1 });
  }
  expect([0, 1, 2, 1_000].map((index) => cache.get(countOf(`tag:${index}`))?.state)).toEqual([0, undefined, 2, 1_000]);
});
