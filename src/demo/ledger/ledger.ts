// The domain of the ledger: pure definitions, imported by the page, the worker and the tests.
import { defineAggregate, defineApp, defineEvents, defineProjection, reject, shape } from 'varve';
import * as z from 'zod';
import { toBookingDate } from './booking-date.ts';

/** How far below zero an account may go by a withdrawal, in hellers: 5,000.00 CZK. What a bank statement says is a fact and may be below. */
export const overdraftLimit = 500_000;

/** Hellers: hundredths of a crown, always whole. */
const amount = z.int().positive().max(100_000_000_000);
const note = z.string().max(200);
const date = z.iso.date();

export const AccountEvents = defineEvents({
  Opened: z.object({ owner: z.string(), sample: z.boolean() }),
  Deposited: z.object({ amount, date, note }),
  Withdrawn: z.object({ amount, date, note }),
  Archived: z.object({}),
});

export const Account = defineAggregate('account', {
  events: AccountEvents,
  initialState: () => ({ open: false, balance: 0 }),
  evolve: {
    // Also where it was open before: an archived account takes nothing along.
    Opened: () => ({ open: true, balance: 0 }),
    Deposited: (state, { data }) => ({ ...state, balance: state.balance + data.amount }),
    Withdrawn: (state, { data }) => ({ ...state, balance: state.balance - data.amount }),
    Archived: (state) => ({ ...state, open: false }),
  },
  commands: {
    open: {
      input: z.object({ owner: z.string().trim().min(1).max(80), sample: z.boolean().default(false) }),
      decide: (input, state) => (state.open ? reject('already-open') : AccountEvents.Opened(input)),
    },
    deposit: {
      input: z.object({ amount, note }),
      decide: (input, state, { now }) =>
        state.open ? AccountEvents.Deposited({ ...input, date: toBookingDate(now) }) : reject('not-open'),
    },
    withdraw: {
      input: z.object({ amount, note }),
      decide: (input, state, { now }) => {
        if (!state.open) return reject('not-open');
        const available = state.balance + overdraftLimit;
        if (input.amount > available) return reject('overdraft-limit', { balance: state.balance, available });
        return AccountEvents.Withdrawn({ ...input, date: toBookingDate(now) });
      },
    },
    /** A line of a bank statement: it has happened, so there is no rule; the first one opens the account. */
    record: {
      input: z.object({ kind: z.enum(['credit', 'debit']), amount, date, note }),
      decide: ({ kind, ...line }, state, { id }) => {
        const event = kind === 'credit' ? AccountEvents.Deposited(line) : AccountEvents.Withdrawn(line);
        return state.open ? event : [AccountEvents.Opened({ owner: `Account ${id}`, sample: false }), event];
      },
    },
    archive: {
      input: z.object({}),
      decide: (_input, state) => (state.open ? AccountEvents.Archived() : []),
    },
  },
});

export interface AccountRow {
  readonly id: string;
  readonly owner: string;
  readonly sample: boolean;
  /** Hellers. */
  readonly balance: number;
  readonly transactions: number;
  readonly lastDate: string;
  /** Of the stream, after the last event in this row. */
  readonly revision: number;
}

export const Accounts = defineProjection('accounts', {
  version: 1,
  from: [AccountEvents],
  row: shape<AccountRow>(),
  on: {
    Opened: (_row, { data, revision }, id) => ({
      id,
      owner: data.owner,
      sample: data.sample,
      balance: 0,
      transactions: 0,
      lastDate: '',
      revision,
    }),
    Deposited: (row, { data, revision }) => row && booked(row, data.amount, data.date, revision),
    Withdrawn: (row, { data, revision }) => row && booked(row, -data.amount, data.date, revision),
    Archived: () => null,
  },
});

export const ledger = defineApp({ name: 'ledger', aggregates: [Account], projections: [Accounts] });

function booked(row: AccountRow, change: number, date: string, revision: number): AccountRow {
  return {
    ...row,
    balance: row.balance + change,
    transactions: row.transactions + 1,
    lastDate: date > row.lastDate ? date : row.lastDate,
    revision,
  };
}
