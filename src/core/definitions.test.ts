import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { RecordedEvent } from './index.ts';
import {
  defineAggregate,
  defineApp,
  defineDecision,
  defineEvents,
  defineProcess,
  defineProjection,
  defineReactor,
  defineValue,
  reject,
  shape,
  view,
} from './index.ts';
import { streamIdToAggregate, streamIdToId, toStreamId } from './stream-id.ts';

const AccountEvents = defineEvents({
  Opened: z.object({ owner: z.string() }),
  Deposited: z.object({ amount: z.number().positive() }),
});

const Account = defineAggregate('account', {
  events: AccountEvents,
  initialState: () => ({ open: false, balance: 0 }),
  evolve: {
    Opened: (state) => ({ ...state, open: true }),
    Deposited: (state, { data }) => ({ ...state, balance: state.balance + data.amount }),
  },
  commands: {
    deposit: {
      input: z.object({ amount: z.coerce.number() }),
      decide: ({ amount }, state) => (state.open ? AccountEvents.Deposited({ amount }) : reject('not-open')),
    },
  },
});

const context = { id: 'ada', now: 0, newId: () => 'id' };

function recorded(type: string, data: unknown, stream = 'account-ada'): RecordedEvent {
  const meta = { commandId: 'c', correlationId: 'c', recordedAt: 0 };
  return { id: 'c.0', stream, revision: 0, position: 1, type, version: 1, data, meta };
}

describe('defineEvents', () => {
  it('makes events of the declared types', () => {
    expect(AccountEvents.Opened({ owner: 'Ada' })).toEqual({ type: 'Opened', data: { owner: 'Ada' } });
    expect(AccountEvents.Opened.version).toBe(1);
  });

  it('names the field of a payload that does not fit', () => {
    expect(() => AccountEvents.Deposited({ amount: -1 })).toThrow(/"Deposited" event does not fit its schema: amount/);
  });

  it('refuses reserved names', () => {
    expect(() => defineEvents({ $system: shape<object>() })).toThrow(/"\$" is reserved/);
  });

  it('refuses an asynchronous schema when it is used', () => {
    const Slow = defineEvents({ Slow: z.object({}).refine(async () => true) });
    expect(() => Slow.Slow({})).toThrow(/must be synchronous/);
  });
});

describe('defineAggregate', () => {
  it('folds events into a frozen state and leaves unknown events alone', () => {
    const opened = Account.evolve(Account.initialState(), recorded('Opened', { owner: 'Ada' }));
    expect(opened).toEqual({ open: true, balance: 0 });
    expect(Object.isFrozen(opened)).toBe(true);
    expect(Account.evolve(opened, recorded('Renamed', {}))).toBe(opened);
    expect(Account.evolve(opened, recorded('toString', {}))).toBe(opened);
  });

  it('decides events or a rejection from input and state', () => {
    const input = Account.parseInput('deposit', { amount: '5' });
    expect(input).toEqual({ ok: true, value: { amount: 5 } });
    if (!input.ok) return;
    expect(Account.decide('deposit', input.value, { open: true, balance: 0 }, context)).toEqual(
      AccountEvents.Deposited({ amount: 5 }),
    );
    expect(Account.decide('deposit', input.value, { open: false, balance: 0 }, context)).toEqual(reject('not-open'));
  });

  it('names the commands it has when asked for one it has not', () => {
    expect(() => Account.parseInput('close', {})).toThrow('no command "close"; it has deposit');
  });

  it('refuses a name with a hyphen', () => {
    expect(() => defineAggregate('bank-account', { ...emptyAggregate })).toThrow(/bank-account/);
  });
});

describe('defineProjection', () => {
  const Balances = defineProjection('balances', {
    version: 1,
    from: [AccountEvents],
    row: shape<{ balance: number }>(),
    on: {
      Opened: () => ({ balance: 0 }),
      Deposited: (row, { data }) => row && { balance: row.balance + data.amount },
    },
  });

  it('returns the changed row under the id of the stream', () => {
    expect(Balances.project(recorded('Opened', { owner: 'Ada' }), new Map())).toEqual([
      { key: 'ada', row: { balance: 0 } },
    ]);
    expect(Balances.project(recorded('Deposited', { amount: 2 }), new Map([['ada', { balance: 1 }]]))).toEqual([
      { key: 'ada', row: { balance: 3 } },
    ]);
  });

  it('says nothing of an event that leaves the row as it is', () => {
    expect(Balances.project(recorded('Deposited', { amount: 2 }), new Map())).toEqual([]);
    expect(Balances.project(recorded('Renamed', {}), new Map())).toEqual([]);
  });

  it('touches several rows and deletes with null', () => {
    const ByOwner = defineProjection('owners', {
      version: 1,
      from: [AccountEvents],
      row: shape<{ count: number }>(),
      key: (event) => (event.type === 'Opened' ? ['all', event.data.owner, 'all'] : []),
      on: { Opened: (row, _event, key) => (key === 'all' ? { count: (row?.count ?? 0) + 1 } : null) },
    });
    const before = new Map(['all', 'ada'].map((key) => [key, { count: 1 }]));
    expect(ByOwner.project(recorded('Opened', { owner: 'ada' }), before)).toEqual([
      { key: 'all', row: { count: 2 } },
      { key: 'ada', row: null },
    ]);
  });

  it('says its row changes itself where a row depends on others', () => {
    const Ranks = defineProjection('ranks', {
      version: 1,
      from: [AccountEvents],
      row: shape<{ rank: number }>(),
      project: (event, rows) =>
        event.type === 'Opened' ? [{ key: event.data.owner, row: { rank: rows.size + 1 } }] : [],
    });
    const rows = new Map([['ada', { rank: 1 }]]);
    expect(Ranks.project(recorded('Opened', { owner: 'ben' }), rows)).toEqual([{ key: 'ben', row: { rank: 2 } }]);
    expect(Ranks.project(recorded('Renamed', {}), rows)).toEqual([]);
  });

  it('refuses both forms at once, and neither', () => {
    const source = { version: 1, from: [AccountEvents] as const, row: shape<{ rank: number }>() };
    expect(() => defineProjection('ranks', source)).toThrow('"ranks" needs either');
    expect(() => defineProjection('ranks', { ...source, on: {}, project: () => [] })).toThrow('"ranks" needs either');
  });
});

describe('view', () => {
  it('folds events into a frozen state and leaves unknown events alone', () => {
    const owners = view({
      from: [AccountEvents],
      initialState: (): readonly string[] => [],
      on: { Opened: (state, { data }) => [...state, data.owner] },
    })();
    const opened = owners.evolve(owners.initialState(), recorded('Opened', { owner: 'ada' }));
    expect(opened).toEqual(['ada']);
    expect(Object.isFrozen(opened)).toBe(true);
    expect(owners.evolve(opened, recorded('toString', {}))).toBe(opened);
  });
});

describe('defineValue', () => {
  it('folds one value from its initial one, and says nothing where it stays', () => {
    const Turnover = defineValue('turnover', {
      version: 1,
      from: [AccountEvents],
      initialValue: { sum: 0 },
      on: { Deposited: (value, { data }) => (data.amount === 0 ? value : { sum: value.sum + data.amount }) },
    });
    expect(Turnover.initialValue).toEqual({ sum: 0 });
    const [change] = Turnover.project(recorded('Deposited', { amount: 2 }), new Map());
    expect(change?.row).toEqual({ sum: 2 });
    const rows = new Map([[change?.key ?? '', { sum: 2 }]]);
    expect(Turnover.project(recorded('Deposited', { amount: 3 }), rows)).toEqual([
      { key: change?.key, row: { sum: 5 } },
    ]);
    expect(Turnover.project(recorded('Deposited', { amount: 0 }), rows)).toEqual([]);
    expect(Turnover.project(recorded('Opened', { owner: 'ada' }), rows)).toEqual([]);
  });
});

describe('indexes', () => {
  it('knows its indexes, each as a list of fields', () => {
    const row = shape<{ owner: string; balance: number }>();
    const Balances = defineProjection('balances', {
      version: 1,
      from: [],
      row,
      indexes: ['balance', ['owner', 'balance']],
      on: {},
    });
    expect(Balances.indexes).toEqual([['balance'], ['owner', 'balance']]);
    expect(defineProjection('plain', { version: 1, from: [], row, on: {} }).indexes).toEqual([]);
  });

  it('refuses an index of no field, and one that could be read as a direction', () => {
    const row = shape<{ owner: string; desc: string }>();
    const define = (index: readonly string[]) => () =>
      defineProjection('balances', { version: 1, from: [], row, indexes: [index as ['owner']], on: {} });
    expect(define([])).toThrow(/"balances" declares the index \[\].*one field at least/);
    expect(define(['owner', 'desc'])).toThrow(/"asc", "desc" or "\$key"/);
  });
});

describe('defineProcess', () => {
  const Payment = defineProcess('payment', {
    from: [AccountEvents],
    initialState: () => ({ deposits: 0 }),
    on: {
      Opened: () => ({ deadlines: { idle: 10 } }),
      Deposited: ({ deposits }) => (deposits > 0 ? undefined : { state: { deposits: 1 } }),
    },
    deadlines: { idle: (_state, { at, now }) => ({ state: { deposits: now - at } }) },
  });

  it('answers with a step, an empty one where the handler says nothing or the deadline is not known', () => {
    const context = { id: 'ada', at: 3, now: 5 };
    const event = recorded('Deposited', { amount: 2 });
    expect(Payment.keyOf(event)).toBe('ada');
    expect(Payment.onEvent(Payment.initialState(), event, context)).toEqual({ state: { deposits: 1 } });
    expect(Payment.onEvent({ deposits: 1 }, event, context)).toEqual({});
    expect(Payment.onDeadline('idle', { deposits: 0 }, context)).toEqual({ state: { deposits: 2 } });
    expect(Payment.onDeadline('toString', { deposits: 0 }, context)).toEqual({});
    expect(Payment.eventTypes).toEqual(['Opened', 'Deposited']);
  });
});

describe('defineApp', () => {
  it('refuses two events of one type', () => {
    const Other = defineAggregate('other', {
      ...emptyAggregate,
      events: defineEvents({ Opened: shape<object>() }),
      evolve: { Opened: (state: object) => state },
    });
    expect(() => defineApp({ name: 'bank', aggregates: [Account, Other], projections: [] })).toThrow(
      /two different events of type "Opened".*aggregate "other"/,
    );
  });

  it('refuses an aggregate and a decision of one name: both name streams', () => {
    const decision = defineDecision('account', {
      events: AccountEvents,
      input: shape<object>(),
      reads: () => ({}),
      decide: () => [],
    });
    expect(() => defineApp({ name: 'bank', aggregates: [Account], projections: [], decisions: [decision] })).toThrow(
      /aggregates and decisions named "account"/,
    );
  });

  it('refuses two aggregates of one name', () => {
    expect(() => defineApp({ name: 'bank', aggregates: [Account, Account], projections: [] })).toThrow(
      /two aggregates named "account"/,
    );
  });

  it('refuses two consumers of one name, and consumers that know an event of the same type otherwise', () => {
    const app = { name: 'bank', aggregates: [Account], projections: [] };
    const Reactor = defineReactor('payment', { from: [AccountEvents], on: {} });
    const Process = defineProcess('payment', { from: [AccountEvents], initialState: () => ({}), on: {} });
    expect(() => defineApp({ ...app, reactors: [Reactor], processes: [Process] })).toThrow(
      /two consumers named "payment"/,
    );
    const Stranger = defineReactor('mail', { from: [defineEvents({ Opened: shape<object>() })], on: {} });
    expect(() => defineApp({ ...app, reactors: [Stranger] })).toThrow(/type "Opened".*reactor "mail"/);
  });
});

describe('stream ids', () => {
  it('keep the id whole, hyphens and all', () => {
    const stream = toStreamId('account', 'a-b-c');
    expect(stream).toBe('account-a-b-c');
    expect(streamIdToId(stream)).toBe('a-b-c');
    expect(streamIdToAggregate(stream)).toBe('account');
  });
});

const emptyAggregate = { events: {}, initialState: () => ({}), evolve: {}, commands: {} };
