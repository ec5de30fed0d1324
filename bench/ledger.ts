// The ledger as an app on Varve would declare it: schemas, a rule, and one row per account.
import { defineAggregate, defineApp, defineEvents, defineProjection, reject, shape } from 'varve';
import * as z from 'zod';

/** How far below zero a withdrawal may take an account, in hellers. */
const overdraftLimit = 1_000_000_000;

const booking = z.object({ amount: z.int().positive(), note: z.string().max(200) });

export const AccountEvents = defineEvents({ Deposited: booking, Withdrawn: booking });

const account = (saving: { readonly snapshot?: { readonly every: number } }) =>
  defineAggregate('account', {
    ...saving,
    events: AccountEvents,
    initialState: () => ({ balance: 0 }),
    evolve: {
      Deposited: (state, { data }) => ({ balance: state.balance + data.amount }),
      Withdrawn: (state, { data }) => ({ balance: state.balance - data.amount }),
    },
    commands: {
      deposit: { input: booking, decide: (input) => AccountEvents.Deposited(input) },
      withdraw: {
        input: booking,
        decide: (input, state) =>
          input.amount > state.balance + overdraftLimit
            ? reject('overdraft-limit', { balance: state.balance })
            : AccountEvents.Withdrawn(input),
      },
      /** Needs the account's state and decides nothing: what it costs to load an aggregate. */
      review: {
        input: z.object({}),
        decide: (_input, state) => (state.balance < -overdraftLimit ? reject('overdrawn') : []),
      },
    },
  });

/** A million events on a thousand accounts: nobody would fold a thousand of them for a deposit. */
export const Account = account({ snapshot: { every: 20 } });

export const Balances = defineProjection('balances', {
  version: 1,
  from: [AccountEvents],
  row: shape<{ balance: number }>(),
  on: {
    Deposited: (row, { data }) => ({ balance: (row?.balance ?? 0) + data.amount }),
    Withdrawn: (row, { data }) => ({ balance: (row?.balance ?? 0) - data.amount }),
  },
});

export const ledger = defineApp({ name: 'benchLedger', aggregates: [Account], projections: [Balances] });

/** The same, with no state ever saved: what it costs to load an aggregate from its events alone. */
export const ledgerUnsaved = defineApp({ name: 'benchLedger', aggregates: [account({})], projections: [Balances] });
