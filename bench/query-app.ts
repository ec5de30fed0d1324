// Rows to be queried: accounts with an owner and a balance, one event each.
import { type Command, command, defineAggregate, defineApp, defineEvents, defineProjection, shape } from 'varve';

export interface AccountRow {
  readonly owner: string;
  readonly balance: number;
}

/** What every contestant shows: the accounts with the highest balances. */
export const topLength = 50;

export const AccountEvents = defineEvents({ Balanced: shape<AccountRow>() });

export const Account = defineAggregate('account', {
  events: AccountEvents,
  initialState: () => ({}),
  evolve: { Balanced: (state) => state },
  commands: { balance: { input: shape<AccountRow>(), decide: (input) => AccountEvents.Balanced(input) } },
});

export const Accounts = defineProjection('accounts', {
  version: 1,
  from: [AccountEvents],
  row: shape<AccountRow>(),
  indexes: ['balance'],
  on: { Balanced: (_row, { data }) => ({ owner: data.owner, balance: data.balance }) },
});

export const queryApp = defineApp({ name: 'benchQuery', aggregates: [Account], projections: [Accounts] });

export function toCommand(key: string, row: AccountRow): Command {
  return command(Account, key, 'balance', row);
}

/** The same rows for the same count, in no order. */
export function* createRows(count: number): Generator<readonly [key: string, row: AccountRow]> {
  for (let index = 0; index < count; index += 1) {
    yield [`${index}`, { owner: `owner ${index % 1_000}`, balance: (index * 7_919 * 31) % 1_000_003 }];
  }
}
