import { describe, expect, it } from 'vitest';
import { defineDecision, defineEvents, reject, shape, view } from '../core/index.ts';
import { decisionSpec } from './decision-spec.ts';

const SeatEvents = defineEvents({ Built: shape<{ seats: number }>(), Taken: shape<{ by: string }>() });

const free = view({
  from: [SeatEvents],
  initialState: () => ({ seats: 0 }),
  on: {
    Built: (state, { data }) => ({ seats: state.seats + data.seats }),
    Taken: ({ seats }) => ({ seats: seats - 1 }),
  },
});

let calls = 0;
const take = defineDecision('take', {
  events: SeatEvents,
  input: shape<{ room: string; by: string }>(),
  reads: ({ room }) => ({ free: free(`room:${room}`) }),
  decide: ({ room, by }, { free }) => {
    calls += 1;
    if (by === 'nobody') return { type: 'Taken', data: { by: undefined } } as never;
    if (by === 'chance') return SeatEvents.Taken({ by: `${calls}` });
    return free.seats > 0 ? SeatEvents.Taken({ by }, [`room:${room}`]) : reject('full', { room });
  },
});

const built = (room: string, seats: number) => SeatEvents.Built({ seats }, [`room:${room}`]);

describe('decisionSpec', () => {
  it('reads as the rule', () => {
    const one = decisionSpec(take).given(built('a', 1));
    one.when({ room: 'a', by: 'ada' }).then(SeatEvents.Taken({ by: 'ada' }, ['room:a']));
    one.when({ room: 'a', by: 'ada' }).thenState({ free: { seats: 0 } });
    one.when({ room: 'b', by: 'ada' }).thenRejected('full', { room: 'b' });
    const taken = one.given(SeatEvents.Taken({ by: 'ada' }, ['room:a']));
    taken.when({ room: 'a', by: 'ben' }).thenRejected('full');
  });

  it('says what was decided instead', () => {
    const outcome = decisionSpec(take).given(built('a', 1)).when({ room: 'a', by: 'ada' });
    expect(() => outcome.thenRejected('full')).toThrow(
      'The decision "take" after Built was expected to be rejected with "full", but decided Taken.',
    );
    expect(() => outcome.then(SeatEvents.Taken({ by: 'ada' }))).toThrow('room:a');
  });

  it('refuses events that a log would refuse', () => {
    expect(() => decisionSpec(take).when({ room: 'a', by: 'nobody' })).toThrow(
      'The decision "take" decided an event "Taken" that cannot be stored: "by" is undefined.',
    );
  });

  it('finds a decision that is not made of its arguments alone', () => {
    expect(() => decisionSpec(take).when({ room: 'a', by: 'chance' })).toThrow('decided otherwise the second time');
  });
});
