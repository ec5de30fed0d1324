import { defineAggregate } from '../core/aggregate.ts';
import { defineApp } from '../core/app.ts';
import { defineEvents } from '../core/events.ts';
import { defineProjection } from '../core/projection.ts';
import { reject } from '../core/rejection.ts';
import { shape } from '../core/schema.ts';

/** The smallest app with a rule: what the engine's own tests run on. */
export const CounterEvents = defineEvents({
  Counted: shape<{ by: number }>(),
  Closed: shape<Record<string, never>>(),
});

export const Counter = defineAggregate('counter', {
  events: CounterEvents,
  initialState: () => ({ count: 0, closed: false }),
  evolve: {
    Counted: (state, { data }) => ({ ...state, count: state.count + data.by }),
    Closed: (state) => ({ ...state, closed: true }),
  },
  commands: {
    count: {
      input: shape<{ by: number }>(),
      decide: ({ by }, state) => {
        if (state.closed) return reject('closed', { count: state.count });
        return by === 0 ? [] : CounterEvents.Counted({ by });
      },
    },
    countTwice: {
      input: shape<{ by: number }>(),
      decide: ({ by }) => [CounterEvents.Counted({ by }), CounterEvents.Counted({ by })],
    },
    close: {
      input: shape<Record<string, never>>(),
      decide: (_input, state) => (state.closed ? [] : CounterEvents.Closed({})),
    },
    crash: {
      input: shape<{ why: string }>(),
      decide: ({ why }) => {
        throw new Error(why);
      },
    },
  },
});

export const Counts = defineProjection('counts', {
  version: 1,
  from: [CounterEvents],
  row: shape<{ count: number; closed: boolean }>(),
  on: {
    Counted: (row, { data }) => ({ closed: false, ...row, count: (row?.count ?? 0) + data.by }),
    Closed: (row) => ({ count: row?.count ?? 0, closed: true }),
  },
});

/** One row; throws on the number 13. */
export const Total = defineProjection('total', {
  version: 1,
  from: [CounterEvents],
  row: shape<{ total: number }>(),
  key: () => 'total',
  on: {
    Counted: (row, { data }) => {
      if (data.by === 13) throw new Error('thirteen');
      return { total: (row?.total ?? 0) + data.by };
    },
  },
});

export const counterApp = defineApp({ name: 'counter', aggregates: [Counter], projections: [Counts, Total] });
