// The app that is tortured: commits of one to several events, on one stream or two.
import { defineAggregate, defineApp, defineEvents, defineProjection, shape } from 'varve';

export const TortureEvents = defineEvents({
  /** `of`: how many events its command decided; a commit with fewer is torn. */
  Counted: shape<{ of: number; text: string }>(),
});

export const Tally = defineAggregate('tally', {
  events: TortureEvents,
  initialState: () => ({ count: 0 }),
  evolve: { Counted: (state) => ({ count: state.count + 1 }) },
  commands: {
    count: {
      input: shape<{ times: number; of: number; text: string }>(),
      decide: ({ times, of, text }) => Array.from({ length: times }, () => TortureEvents.Counted({ of, text })),
    },
  },
});

export const Tallies = defineProjection('tallies', {
  version: 1,
  from: [TortureEvents],
  row: shape<{ count: number }>(),
  on: { Counted: (row) => ({ count: (row?.count ?? 0) + 1 }) },
});

export const torture = defineApp({ name: 'torture', aggregates: [Tally], projections: [Tallies] });
