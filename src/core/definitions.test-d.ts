// What must compile and what must not: checked by `npm run check`, never run.
import * as z from 'zod';
import type { CommandInput, CommandName, CommandRejection } from './index.ts';
import {
  command,
  type DecisionInput,
  type DecisionRejection,
  defineAggregate,
  defineApp,
  defineDecision,
  defineEvents,
  defineProcess,
  defineProjection,
  defineReactor,
  type Receipt,
  type RecordedEventOf,
  reject,
  shape,
  versions,
  view,
} from './index.ts';

type Equal<Left, Right> = (<T>() => T extends Left ? 1 : 2) extends <T>() => T extends Right ? 1 : 2 ? true : false;
function expectType<_True extends true>(): void {}

const AccountEvents = defineEvents({
  Opened: z.object({ owner: z.string() }),
  Deposited: z.object({ amount: z.number() }),
});
const NoteEvents = defineEvents({ Noted: shape<{ text: string }>() });

const Account = defineAggregate('account', {
  events: AccountEvents,
  initialState: () => ({ open: false, balance: 0 }),
  evolve: {
    Opened: (state) => ({ ...state, open: true }),
    Deposited: (state, { data }) => ({ ...state, balance: state.balance + data.amount }),
  },
  commands: {
    open: { input: z.object({ owner: z.string() }), decide: (input) => AccountEvents.Opened(input) },
    deposit: {
      input: z.object({ amount: z.coerce.number() }),
      decide: ({ amount }, state, { now }) => {
        if (!state.open) return reject('not-open');
        if (amount > now) return reject('too-much', { balance: state.balance });
        return [AccountEvents.Deposited({ amount })];
      },
    },
  },
});

// Inference.
expectType<Equal<CommandName<typeof Account>, 'open' | 'deposit'>>();
expectType<Equal<CommandInput<typeof Account, 'open'>, { owner: string }>>();
type Codes = CommandRejection<typeof Account, 'deposit'>['code'];
expectType<Equal<Codes, 'not-open' | 'too-much'>>();

declare const receipt: Receipt<CommandRejection<typeof Account, 'deposit'>>;
if (receipt.status === 'rejected') {
  switch (receipt.rejection.code) {
    case 'too-much':
      receipt.rejection.details.balance.toFixed();
      break;
    case 'invalid-input':
      receipt.rejection.details.issues[0]?.path.trim();
      break;
    case 'not-open':
      break;
    default:
      receipt.rejection satisfies never;
  }
}

command(Account, 'ada', 'open', { owner: 'Ada' });
// @ts-expect-error Argument of type '"close"' is not assignable to parameter of type '"open" | "deposit"'
command(Account, 'ada', 'close', {});
// @ts-expect-error Type 'number' is not assignable to type 'string'
command(Account, 'ada', 'open', { owner: 1 });
// @ts-expect-error Type 'number' is not assignable to type 'string'
NoteEvents.Noted({ text: 1 });

defineAggregate('partial', {
  events: AccountEvents,
  initialState: () => ({ open: false }),
  // @ts-expect-error Property 'Deposited' is missing in type
  evolve: { Opened: (state) => state },
  commands: {},
});

defineAggregate('foreign', {
  events: NoteEvents,
  initialState: () => ({}),
  evolve: { Noted: (state) => state },
  commands: {
    // @ts-expect-error Type '"Opened"' is not assignable to type '"Noted"'
    open: { input: shape<{ owner: string }>(), decide: (input) => AccountEvents.Opened(input) },
  },
});

const Balances = defineProjection('balances', {
  version: 1,
  from: [AccountEvents, NoteEvents],
  row: shape<{ owner: string; balance: number }>(),
  on: {
    Opened: (_row, { data }) => ({ owner: data.owner, balance: 0 }),
    Deposited: (row, { data }) => row && { ...row, balance: row.balance + data.amount },
    Noted: () => null,
  },
});
expectType<Equal<NonNullable<(typeof Balances)['rowType']>, { owner: string; balance: number }>>();

defineProjection('wrong', {
  version: 1,
  from: [AccountEvents],
  row: shape<{ balance: number }>(),
  on: {
    // @ts-expect-error Type 'string' is not assignable to type 'number'
    Opened: () => ({ balance: 'none' }),
  },
});

defineProjection('unknown', {
  version: 1,
  from: [AccountEvents],
  row: shape<{ balance: number }>(),
  // @ts-expect-error 'Closed' does not exist in type
  on: { Closed: () => null },
});

// Versions: each step is typed by the one before, and the newest is what the code sees.
const OrderEvents = defineEvents({
  Placed: versions(shape<{ cents: number }>())
    .to(z.object({ amount: z.coerce.number() }), ({ cents }) => ({ amount: cents / 100 }))
    .to(shape<{ amount: number; currency: string }>(), ({ amount }) => ({ amount, currency: 'EUR' })),
  Dropped: versions(shape<{ why: string }>()).deprecated(),
});
expectType<Equal<RecordedEventOf<typeof OrderEvents, 'Placed'>['data'], { amount: number; currency: string }>>();
expectType<Equal<RecordedEventOf<typeof OrderEvents, 'Dropped'>['data'], { why: string }>>();
OrderEvents.Placed({ amount: 1, currency: 'EUR' });
// @ts-expect-error 'cents' does not exist in type '{ amount: number; currency: string; }'
OrderEvents.Placed({ cents: 1 });
// @ts-expect-error Argument of type '{ why: string; }' is not assignable to parameter of type 'never'
OrderEvents.Dropped({ why: '' });
// @ts-expect-error Property 'euros' does not exist on type '{ cents: number; }'
versions(shape<{ cents: number }>()).to(shape<{ amount: number }>(), ({ euros }) => ({ amount: euros }));
// @ts-expect-error Type 'string' is not assignable to type 'number'
versions(shape<{ cents: number }>()).to(shape<{ amount: number }>(), () => ({ amount: '1' }));

// Decisions across streams: views are typed by their own state, by name.
const balance = view({
  from: [AccountEvents],
  initialState: () => ({ sum: 0 }),
  on: { Deposited: (state, { data }) => ({ sum: state.sum + data.amount }) },
});
const transfer = defineDecision('transfer', {
  events: AccountEvents,
  input: z.object({ from: z.string(), amount: z.coerce.number<number>() }),
  reads: ({ from }) => ({ source: balance(`account:${from}`) }),
  decide: ({ amount }, { source }) =>
    amount > source.sum ? reject('too-much', { sum: source.sum }) : AccountEvents.Deposited({ amount }, ['account:b']),
});
expectType<Equal<DecisionInput<typeof transfer>, { from: string; amount: number }>>();
expectType<Equal<DecisionRejection<typeof transfer>['code'], 'too-much'>>();
defineDecision('foreign', {
  events: NoteEvents,
  input: shape<object>(),
  reads: () => ({ source: balance() }),
  // @ts-expect-error Property 'total' does not exist on type '{ sum: number; }'
  decide: (_input, { source }) => NoteEvents.Noted({ text: `${source.total}` }),
});
defineDecision('foreign', {
  events: NoteEvents,
  input: shape<object>(),
  reads: () => ({}),
  // @ts-expect-error Type '"Deposited"' is not assignable to type '"Noted"'
  decide: () => AccountEvents.Deposited({ amount: 1 }),
});
view({
  from: [AccountEvents],
  initialState: () => 0,
  // @ts-expect-error 'Noted' does not exist in type
  on: { Noted: () => 0 },
});

// Reactors and processes: events by type, commands and deadlines by name.
defineReactor('mail', {
  from: [AccountEvents, NoteEvents],
  on: {
    Opened: async ({ id, data }, { signal, execute }) => {
      id.trim();
      data.owner.trim();
      signal.throwIfAborted();
      const receipt = await execute(command(Account, 'ada', 'deposit', { amount: 1 }), { commandId: 'c' });
      if (receipt.status === 'saved') receipt.position.toFixed();
    },
    Noted: ({ data }) => void data.text.trim(),
  },
});

defineReactor('stranger', {
  from: [AccountEvents],
  // @ts-expect-error 'Noted' does not exist in type
  on: { Noted: () => undefined },
});

const Payment = defineProcess('payment', {
  from: [AccountEvents, NoteEvents],
  key: ({ stream }) => stream,
  initialState: () => ({ deposits: 0 }),
  on: {
    Opened: (_state, { meta }, { id }) => ({
      commands: [command(Account, id, 'deposit', { amount: 1 })],
      deadlines: { idle: meta.recordedAt + 1, unpaid: null },
    }),
    Deposited: (state) => (state.deposits > 3 ? undefined : { state: { deposits: state.deposits + 1 } }),
    Noted: () => ({ state: null }),
  },
  deadlines: {
    idle: (state, { id, at, now }) => ({
      state,
      commands: [command(Account, id, 'open', { owner: `${state.deposits} ${now - at}` })],
    }),
    unpaid: () => ({ deadlines: { idle: null } }),
  },
  onRejected: (state, { command: { name }, rejection }) => ({
    state: { deposits: state.deposits + name.length + rejection.code.length },
  }),
});
expectType<Equal<NonNullable<(typeof Payment)['deadlineNames']>, 'idle' | 'unpaid'>>();

defineProcess('wrong', {
  from: [AccountEvents],
  initialState: () => ({ deposits: 0 }),
  on: {
    // @ts-expect-error Type 'string' is not assignable to type 'number'
    Opened: () => ({ state: { deposits: 'none' } }),
    // @ts-expect-error 'never' does not exist in type
    Deposited: () => ({ deadlines: { never: 1 } }),
  },
  deadlines: { idle: () => undefined },
});

defineApp({
  name: 'bank',
  aggregates: [Account],
  projections: [Balances],
  reactors: [defineReactor('quiet', { from: [NoteEvents], on: {} })],
  processes: [Payment],
});

// Nothing has to be given where nothing has to be said.
const LampEvents = defineEvents({
  SwitchedOn: z.object({}),
  Dimmed: shape<{ to?: number }>(),
  Set: shape<{ to: number }>(),
});
LampEvents.SwitchedOn();
LampEvents.SwitchedOn({}, ['room:1']);
LampEvents.Dimmed();
// @ts-expect-error Expected 1-2 arguments, but got 0
LampEvents.Set();
const Lamp = defineAggregate('lamp', {
  events: LampEvents,
  initialState: () => ({}),
  evolve: { SwitchedOn: (state) => state, Dimmed: (state) => state, Set: (state) => state },
  commands: {
    switchOn: { input: z.object({}), decide: () => LampEvents.SwitchedOn() },
    set: { input: shape<{ to: number }>(), decide: ({ to }) => LampEvents.Set({ to }) },
  },
});
command(Lamp, '1', 'switchOn');
// @ts-expect-error Expected 4 arguments, but got 3
command(Lamp, '1', 'set');
