import { describe, expect, it } from 'vitest';
import { routeToAccountId } from './account-route.ts';

describe('the route of an account', () => {
  it('names it', () => {
    expect(['/account/S-01', '/account/a%2Fb%20c', '/', '/account/'].map(routeToAccountId)).toEqual([
      'S-01',
      'a/b c',
      undefined,
      undefined,
    ]);
  });

  it('that nothing leads to names an account that is not there', () => {
    expect(['/account/%', '/account/S-01%E2%82'].map(routeToAccountId)).toEqual(['%', 'S-01%E2%82']);
  });
});
