import { describe, expect, it } from 'vitest';
import { spec } from '../testing/spec.ts';
import { defineEvents, fromDecider, reject, shape } from './index.ts';

const LightEvents = defineEvents({ SwitchedOn: shape<{ by: string }>(), Broke: shape<object>() });

const Light = fromDecider('light', {
  events: LightEvents,
  commands: { switchOn: shape<{ by: string }>(), hit: shape<{ hard: boolean }>() },
  initialState: () => ({ on: false, broken: false }),
  evolve: (state, event) => {
    switch (event.type) {
      case 'SwitchedOn':
        return { ...state, on: event.data.by !== '' };
      case 'Broke':
        return { on: false, broken: true };
    }
  },
  decide: (command, state) => {
    switch (command.type) {
      case 'switchOn':
        if (state.broken) return reject('broken');
        return state.on ? [] : LightEvents.SwitchedOn({ by: command.data.by });
      case 'hit':
        return command.data.hard ? LightEvents.Broke({}) : [];
    }
  },
});

describe('fromDecider', () => {
  it('makes an aggregate of one decide and one evolve', () => {
    spec(Light)
      .when('switchOn', { by: 'Ada' })
      .then(LightEvents.SwitchedOn({ by: 'Ada' }));
    const on = spec(Light).given(LightEvents.SwitchedOn({ by: 'Ada' }));
    on.when('switchOn', { by: 'Ben' }).thenNothing();
    on.when('hit', { hard: true }).thenState({ on: false, broken: true });
    on.given(LightEvents.Broke({})).when('switchOn', { by: 'Ben' }).thenRejected('broken');
  });

  it('has the commands and events that it was declared with', () => {
    expect(Light.commandNames).toEqual(['switchOn', 'hit']);
    expect(Object.keys(Light.events)).toEqual(['SwitchedOn', 'Broke']);
    expect(() => Light.parseInput('open', {})).toThrow('no command "open"');
  });
});
