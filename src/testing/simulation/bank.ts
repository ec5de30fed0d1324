import { defineAggregate } from '../../core/aggregate.ts';
import { type App, defineApp } from '../../core/app.ts';
import type { Command } from '../../core/command.ts';
import { defineDecision } from '../../core/decision.ts';
import { defineEvents, type RecordedEvent } from '../../core/events.ts';
import { defineProjection } from '../../core/projection.ts';
import { reject } from '../../core/rejection.ts';
import { shape } from '../../core/schema.ts';
import { view } from '../../core/view.ts';
import type { ExecuteRequest } from '../../protocol/engine-api.ts';
import type { SyncEvent } from '../../protocol/sync-commit.ts';

/** What every event of the simulated app says of its commit: how many events it has, and whether a server refuses it. */
interface Whole {
  readonly of: number;
  readonly isPoison?: boolean;
}

const AccountEvents = defineEvents({
  Deposited: shape<{ amount: number } & Whole>(),
  Withdrawn: shape<{ amount: number } & Whole>(),
});

/** Must never go below zero, whatever is decided where: its commands are decided again. */
const Account = defineAggregate('account', {
  events: AccountEvents,
  initialState: () => ({ balance: 0 }),
  evolve: {
    Deposited: ({ balance }, { data }) => ({ balance: balance + data.amount }),
    Withdrawn: ({ balance }, { data }) => ({ balance: balance - data.amount }),
  },
  commands: {
    deposit: {
      input: shape<{ amount: number } & Whole>(),
      decide: (input) => AccountEvents.Deposited(input),
    },
    withdraw: {
      input: shape<{ amount: number } & Whole>(),
      decide: (input, { balance }) => (balance < input.amount ? reject('too-little') : AccountEvents.Withdrawn(input)),
    },
    // Takes what is there, in pieces: another number of events where it is decided again on another balance.
    empty: {
      input: shape<{ piece: number }>(),
      decide: ({ piece }, { balance }) => {
        if (balance === 0) return reject('too-little');
        const of = Math.ceil(balance / piece);
        return Array.from({ length: of }, (_, index) =>
          AccountEvents.Withdrawn({ amount: Math.min(piece, balance - index * piece), of }),
        );
      },
    },
  },
});

const MeterEvents = defineEvents({ Measured: shape<{ value: number } & Whole>() });

/** What was measured was measured: its commits are kept as they are. */
const Meter = defineAggregate('meter', {
  events: MeterEvents,
  onConflict: 'keep',
  initialState: () => ({ last: 0 }),
  evolve: { Measured: (_state, { data }) => ({ last: data.value }) },
  commands: {
    measure: {
      input: shape<{ values: readonly number[]; isPoison?: boolean }>(),
      decide: ({ values, ...rest }) =>
        values.map((value) => MeterEvents.Measured({ value, of: values.length, ...rest })),
    },
  },
});

const RoomEvents = defineEvents({ Taken: shape<{ room: string; guest: string } & Whole>() });

export const bedsOfRoom = 3;
export const roomsOfGuest = 2;

const beds = view({ from: [RoomEvents], initialState: () => 0, on: { Taken: (taken) => taken + 1 } });

/** Across streams: a room has so many beds, and a guest takes so many rooms. */
const takeBed = defineDecision('takeBed', {
  events: RoomEvents,
  input: shape<{ room: string; guest: string }>(),
  reads: ({ room, guest }) => ({ inRoom: beds(`room:${room}`), ofGuest: beds(`guest:${guest}`) }),
  decide: ({ room, guest }, { inRoom, ofGuest }) => {
    if (inRoom >= bedsOfRoom) return reject('full');
    if (ofGuest >= roomsOfGuest) return reject('too-many-rooms');
    return RoomEvents.Taken({ room, guest, of: 1 }, [`room:${room}`, `guest:${guest}`]);
  },
});

const Balances = defineProjection('balances', {
  version: 1,
  from: [AccountEvents],
  row: shape<{ balance: number }>(),
  on: {
    Deposited: (row, { data }) => ({ balance: (row?.balance ?? 0) + data.amount }),
    Withdrawn: (row, { data }) => ({ balance: (row?.balance ?? 0) - data.amount }),
  },
});

/** Another row for another order: what stands in it are the ids of the events, as they came. */
const Journal = defineProjection('journal', {
  version: 1,
  from: [AccountEvents, MeterEvents, RoomEvents],
  row: shape<{ ids: string }>(),
  key: ({ stream }) => stream.slice(0, stream.lastIndexOf('-')),
  on: { Deposited: note, Withdrawn: note, Measured: note, Taken: note },
});

function note(row: { readonly ids: string } | undefined, { id }: RecordedEvent): { readonly ids: string } {
  return { ids: `${row?.ids ?? ''} ${id}` };
}

export const bank: App = defineApp({
  name: 'bank',
  aggregates: [Account, Meter],
  decisions: [takeBed],
  projections: [Balances, Journal],
});

/** What a user does, as plain data. */
export type Act =
  | {
      readonly type: 'deposit' | 'withdraw';
      readonly account: number;
      readonly amount: number;
      readonly isPoison?: true;
    }
  | { readonly type: 'empty'; readonly account: number; readonly piece: number }
  /** One commit of two streams. */
  | { readonly type: 'transfer'; readonly account: number; readonly to: number; readonly amount: number }
  | { readonly type: 'measure'; readonly meter: number; readonly values: readonly number[]; readonly isPoison?: true }
  | { readonly type: 'take'; readonly room: number; readonly guest: number };

export function toRequest(commandId: string, act: Act): ExecuteRequest {
  switch (act.type) {
    case 'deposit':
    case 'withdraw':
      return {
        commandId,
        commands: [onAccount(act.account, act.type, { amount: act.amount, of: 1, ...poisonOf(act) })],
      };
    case 'empty':
      return { commandId, commands: [onAccount(act.account, 'empty', { piece: act.piece })] };
    case 'transfer': {
      const input = { amount: act.amount, of: 2 };
      return { commandId, commands: [onAccount(act.account, 'withdraw', input), onAccount(act.to, 'deposit', input)] };
    }
    case 'measure': {
      const input = { values: act.values, ...poisonOf(act) };
      return { commandId, commands: [{ aggregate: Meter.name, id: String(act.meter), name: 'measure', input }] };
    }
    case 'take': {
      const input = { room: `r${act.room}`, guest: `g${act.guest}` };
      return { commandId, commands: [], decision: { name: takeBed.name, input } };
    }
  }
}

function onAccount(account: number, name: string, input: object): Command {
  return { aggregate: Account.name, id: String(account), name, input };
}

function poisonOf({ isPoison }: { readonly isPoison?: true }): { readonly isPoison?: true } {
  return isPoison === true ? { isPoison } : {};
}

/** How many events the commit of an event has, as it says itself. */
export function sizeOf({ data }: Pick<SyncEvent, 'data'>): number {
  return (data as Whole).of;
}

export function isPoison(events: readonly Pick<SyncEvent, 'data'>[]): boolean {
  return events.some(({ data }) => (data as Whole).isPoison === true);
}

/** The promises of the domain that a commit breaks, given what stands before it; moves `state` on. */
export interface BankState {
  readonly balances: Map<string, number>;
  readonly beds: Map<string, number>;
}

export function brokenRules(events: readonly SyncEvent[], state: BankState): readonly string[] {
  const broken: string[] = [];
  for (const { stream, type, data } of events) {
    if (type === 'Deposited' || type === 'Withdrawn') {
      const { amount } = data as { readonly amount: number };
      const balance = (state.balances.get(stream) ?? 0) + (type === 'Deposited' ? amount : -amount);
      state.balances.set(stream, balance);
      if (type === 'Withdrawn' && balance < 0) broken.push(`${stream} is at ${balance}`);
    }
    if (type !== 'Taken') continue;
    const { room, guest } = data as { readonly room: string; readonly guest: string };
    for (const [name, most] of [
      [room, bedsOfRoom],
      [guest, roomsOfGuest],
    ] as const) {
      const taken = (state.beds.get(name) ?? 0) + 1;
      state.beds.set(name, taken);
      if (taken > most) broken.push(`${name} has ${taken} of ${most} beds`);
    }
  }
  return broken;
}
