import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { defineAggregate, defineEvents, reject } from '../core/index.ts';
import { spec } from './spec.ts';

const AccountEvents = defineEvents({
  Opened: z.object({ owner: z.string() }),
  Deposited: z.object({ amount: z.number() }),
  Withdrawn: z.object({ amount: z.number(), slip: z.string() }),
});

let calls = 0;

const Account = defineAggregate('account', {
  events: AccountEvents,
  initialState: () => ({ open: false, balance: 0, notes: [] as string[] }),
  evolve: {
    Opened: (state) => ({ ...state, open: true }),
    Deposited: (state, { data }) => ({ ...state, balance: state.balance + data.amount }),
    Withdrawn: (state, { data }) => ({ ...state, balance: state.balance - data.amount }),
  },
  commands: {
    open: {
      input: z.object({ owner: z.string() }),
      decide: (input, { open }) => (open ? [] : AccountEvents.Opened(input)),
    },
    withdraw: {
      input: z.object({ amount: z.number().positive() }),
      decide: ({ amount }, { balance }, { newId }) =>
        amount > balance
          ? reject('insufficient-funds', { balance })
          : { ...AccountEvents.Withdrawn({ amount, slip: newId() }), tags: ['b', 'a'] },
    },
    guess: {
      input: z.object({}),
      decide: () => {
        calls += 1;
        return AccountEvents.Deposited({ amount: calls });
      },
    },
    lend: {
      input: z.object({ amount: z.number() }),
      decide: ({ amount }) => ({ ...AccountEvents.Deposited({ amount }), data: { amount, days: undefined } }),
    },
    spoil: {
      input: z.object({}),
      decide: (_input, state) => {
        state.notes.push('Seen.');
        return [];
      },
    },
  },
});

describe('spec', () => {
  const rich = spec(Account).given(AccountEvents.Opened({ owner: 'Ada' }), AccountEvents.Deposited({ amount: 10 }));
  const withdrawn = { ...AccountEvents.Withdrawn({ amount: 4, slip: 'id-1' }), tags: ['a', 'b'] };

  it('passes where the rule does what was said', () => {
    rich.when('withdraw', { amount: 4 }).then(withdrawn);
    rich.when('withdraw', { amount: 4 }).thenState({ open: true, balance: 6, notes: [] });
    rich.when('withdraw', { amount: 40 }).thenRejected('insufficient-funds', { balance: 10 });
    rich.when('withdraw', { amount: -1 }).thenRejected('invalid-input');
    rich
      .given(AccountEvents.Deposited({ amount: 90 }))
      .when('withdraw', { amount: 40 })
      .thenState({ open: true, balance: 60, notes: [] });
    rich.when('open', { owner: 'Eve' }).thenNothing();
    spec(Account)
      .when('open', { owner: 'Ada' })
      .then(AccountEvents.Opened({ owner: 'Ada' }));
  });

  it('says what was expected and what came', () => {
    expect(() => rich.when('withdraw', { amount: 3 }).then(withdrawn)).toThrow(
      /The command "withdraw" of "account" after Opened, Deposited: expected[\s\S]*"amount":4[\s\S]*but got[\s\S]*"amount":3/,
    );
    expect(() => rich.when('withdraw', { amount: 99 }).then(withdrawn)).toThrow(
      'was expected to be accepted, but was rejected with "insufficient-funds" {"balance":10}.',
    );
    expect(() => rich.when('withdraw', { amount: 3 }).thenRejected('insufficient-funds')).toThrow(
      'was expected to be rejected with "insufficient-funds", but decided Withdrawn.',
    );
    expect(() => rich.when('withdraw', { amount: -1 }).thenRejected('insufficient-funds')).toThrow(
      /insufficient-funds[\s\S]*invalid-input/,
    );
    expect(() => rich.when('withdraw', { amount: 99 }).thenRejected('insufficient-funds', { balance: 1 })).toThrow(
      /"balance":1[\s\S]*"balance":10/,
    );
    expect(() => rich.when('withdraw', { amount: 3 }).thenNothing()).toThrow('but got');
    expect(() => rich.when('withdraw', { amount: 3 }).thenState({ open: true, balance: 10, notes: [] })).toThrow(
      /"balance":10[\s\S]*"balance":7/,
    );
  });

  it('refuses events that a log would refuse, or that come from elsewhere', () => {
    expect(() => rich.when('lend', { amount: 3 })).toThrow(
      'The command "lend" of "account" decided an event "Deposited" that cannot be stored: "days" is undefined.',
    );
    const { Shipped } = defineEvents({ Shipped: z.object({}) });
    expect(() => rich.given(Shipped())).toThrow('An event "Shipped" was given, which "account" does not declare');
  });

  it('finds rules that are not made of their arguments alone', () => {
    expect(() => rich.when('guess', {})).toThrow('decided otherwise the second time');
    expect(() => rich.when('spoil', {})).toThrow('changed the state that it decided on');
  });
});
