// What must compile and what must not: checked by `npm run check`, never run.
import { defineEvents, defineProjection, type RowQuery, shape } from './index.ts';
import type { AnyRowQuery } from './row-query.ts';

const Events = defineEvents({ Happened: shape<{ what: string }>() });

interface AccountRow {
  owner: string;
  balance: number;
  state: 'open' | 'closed';
  isFrozen: boolean;
  note: string | null;
  closedAt?: number;
  tags: readonly string[];
}

const Accounts = defineProjection('accounts', {
  version: 1,
  from: [Events],
  row: shape<AccountRow>(),
  indexes: ['balance', ['owner', 'balance'], 'closedAt'],
  on: { Happened: (row) => row },
});
const Plain = defineProjection('plain', {
  version: 1,
  from: [Events],
  row: shape<{ owner: string }>(),
  on: { Happened: (row) => row },
});
const Either = defineProjection('either', {
  version: 1,
  from: [Events],
  row: shape<{ kind: 'a'; size: number } | { kind: 'b'; name: string }>(),
  indexes: ['kind', 'size'],
  on: { Happened: (row) => row },
});

type Accounting = RowQuery<typeof Accounts>;

// What may be asked.
({}) satisfies Accounting;
({ where: { owner: 'Ada', balance: { atLeast: 100, below: 200 } }, limit: 50, total: true }) satisfies Accounting;
({ where: { owner: { startsWith: 'A', in: ['Ada', 'Anna'] }, $key: { above: 'a' } } }) satisfies Accounting;
({ where: { state: 'open', isFrozen: false, note: null, closedAt: { in: [null, 3] } } }) satisfies Accounting;
({ where: { owner: undefined }, after: undefined }) satisfies Accounting;
({ orderBy: 'balance' }) satisfies Accounting;
({ orderBy: ['balance', 'desc'] }) satisfies Accounting;
({ orderBy: ['owner', 'balance'] }) satisfies Accounting;
({ orderBy: ['owner', 'balance', 'desc'] }) satisfies Accounting;
({ orderBy: ['$key', 'desc'] }) satisfies Accounting;
({ orderBy: '$key' }) satisfies RowQuery<typeof Plain>;
({ where: { kind: 'a', size: { above: 3 }, name: null }, orderBy: 'size' }) satisfies RowQuery<typeof Either>;
({}) as Accounting satisfies AnyRowQuery;

// What may not.
// @ts-expect-error Type '"owner"' is not assignable
({ orderBy: 'owner' }) satisfies Accounting;
// @ts-expect-error Type '"balance"' is not assignable to type '"owner"'
({ orderBy: ['balance', 'owner'] }) satisfies Accounting;
// @ts-expect-error Type '"down"' is not assignable to type 'Direction'
({ orderBy: ['balance', 'down'] }) satisfies Accounting;
// @ts-expect-error Type '"owner"' is not assignable to type '"$key"'
({ orderBy: 'owner' }) satisfies RowQuery<typeof Plain>;
// @ts-expect-error 'colour' does not exist in type
({ where: { colour: 'red' } }) satisfies Accounting;
// @ts-expect-error Type 'string' is not assignable to type 'number'
({ where: { balance: 'much' } }) satisfies Accounting;
// @ts-expect-error Type '"gone"' is not assignable to type '"open" | "closed"'
({ where: { state: 'gone' } }) satisfies Accounting;
// @ts-expect-error Type 'null' is not assignable: an owner is never missing
({ where: { owner: null } }) satisfies Accounting;
// @ts-expect-error 'startsWith' does not exist in type
({ where: { balance: { startsWith: '1' } } }) satisfies Accounting;
// @ts-expect-error 'below' does not exist in type
({ where: { isFrozen: { below: true } } }) satisfies Accounting;
// @ts-expect-error 'tags' does not exist in type
({ where: { tags: [] } }) satisfies Accounting;

defineProjection('unknown', {
  version: 1,
  from: [Events],
  row: shape<{ owner: string; tags: readonly string[] }>(),
  // @ts-expect-error Type '"tags"' is not assignable to type '"owner"'
  indexes: ['owner', 'tags'],
  on: { Happened: (row) => row },
});
