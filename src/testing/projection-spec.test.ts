import { describe, expect, it } from 'vitest';
import { defineEvents, defineProjection, shape } from '../core/index.ts';
import { projectionSpec } from './projection-spec.ts';

const AccountEvents = defineEvents({
  Opened: shape<{ readonly owner: string }>(),
  Deposited: shape<{ readonly amount: number }>(),
  Closed: shape<Record<string, never>>(),
});

const Balances = defineProjection('balances', {
  version: 1,
  from: [AccountEvents],
  row: shape<{ readonly owner: string; readonly balance: number }>(),
  on: {
    Opened: (_row, { data }) => ({ owner: data.owner, balance: 0 }),
    Deposited: (row, { data }) => row && { ...row, balance: row.balance + data.amount },
    Closed: () => null,
  },
});

describe('projectionSpec', () => {
  const story = projectionSpec(Balances)
    .given('account-ada', AccountEvents.Opened({ owner: 'Ada' }), AccountEvents.Deposited({ amount: 10 }))
    .given('account-bob', AccountEvents.Opened({ owner: 'Bob' }), AccountEvents.Closed({}))
    .given('account-ada', AccountEvents.Deposited({ amount: 5 }));

  it('passes where the rows are as was said', () => {
    story.thenRows({ ada: { owner: 'Ada', balance: 15 } });
    story.thenRow('ada', { owner: 'Ada', balance: 15 });
    story.thenNoRow('bob');
    projectionSpec(Balances).thenRows({});
  });

  it('says what was expected and what came', () => {
    expect(() => story.thenRows({ ada: { owner: 'Ada', balance: 10 } })).toThrow(
      /The rows of "balances": expected[\s\S]*"balance":10[\s\S]*but got[\s\S]*"balance":15/,
    );
    expect(() => story.thenRow('bob', { owner: 'Bob', balance: 0 })).toThrow(
      /The row "bob"[\s\S]*but got[\s\S]*undefined/,
    );
    expect(() => story.thenNoRow('ada')).toThrow('"balance":15');
  });

  it('finds a projection that keeps something besides its rows, and one that throws', () => {
    let seen = 0;
    const counts = (on: () => { readonly seen: number }) =>
      defineProjection('counts', {
        version: 1,
        from: [AccountEvents],
        row: shape<{ readonly seen: number }>(),
        on: { Deposited: on },
      });
    const deposit = AccountEvents.Deposited({ amount: 1 });
    const Impure = counts(() => {
      seen += 1;
      return { seen };
    });
    expect(() =>
      projectionSpec(Impure)
        .given('account-a', deposit)
        .thenRows({ a: { seen: 1 } }),
    ).toThrow('makes other rows');
    const Broken = counts(() => {
      throw new Error('no such thing');
    });
    expect(() => projectionSpec(Broken).given('account-a', deposit).thenRows({})).toThrow('no such thing');
  });
});
