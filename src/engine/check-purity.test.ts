import { describe, expect, it } from 'vitest';
import { createClient } from '../client/client.ts';
import {
  defineAggregate,
  defineApp,
  defineDecision,
  defineEvents,
  defineProjection,
  shape,
  view,
} from '../core/index.ts';
import { createMemoryEventLog } from '../log/memory-event-log.ts';
import { createInProcessWorker } from '../testing/in-process-worker.ts';

const Events = defineEvents({ Made: shape<{ id: string; at: number }>() });
let count = 0;

const Thing = defineAggregate('thing', {
  events: Events,
  initialState: () => ({ made: [] as string[], seen: new Set<string>() }),
  evolve: { Made: (state, { data }) => ({ ...state, made: [...state.made, data.id] }) },
  commands: {
    make: { input: shape<object>(), decide: (_input, _state, { newId, now }) => Events.Made({ id: newId(), at: now }) },
    makeCounted: {
      input: shape<object>(),
      decide: () => {
        count += 1;
        return Events.Made({ id: '', at: count });
      },
    },
    makeInPlace: {
      input: shape<object>(),
      decide: (_input, state) => {
        state.made.push('x');
        return [];
      },
    },
    makeInSet: {
      input: shape<object>(),
      decide: (_input, state) => {
        state.seen.add('x');
        return [];
      },
    },
  },
});
const decideCounted = defineDecision('count', {
  events: Events,
  input: shape<object>(),
  reads: () => ({ all: view({ from: [Events], initialState: () => 0, on: {} })() }),
  decide: () => {
    count += 1;
    return Events.Made({ id: '', at: count });
  },
});
const Things = defineProjection('things', {
  version: 1,
  from: [Events],
  row: shape<{ n: number }>(),
  on: {
    Made: () => {
      count += 1;
      return { n: count };
    },
  },
});
const app = defineApp({ name: 'things', aggregates: [Thing], projections: [Things], decisions: [decideCounted] });

function open(checksPurity: boolean) {
  const log = createMemoryEventLog();
  return createClient(app, () => createInProcessWorker({ app, log, checksPurity }), { askToPersist: false });
}

describe('in development', () => {
  it('a decide that is not made of its arguments alone is a bug, and stores nothing', async () => {
    const client = open(true);
    for (const command of ['makeCounted', 'makeInPlace', 'makeInSet'] as const) {
      await expect(client.execute(Thing, '1', command, {})).rejects.toThrow(
        `"${command}" of "thing" ${command === 'makeCounted' ? 'decided otherwise the second time' : 'changed the state'}`,
      );
    }
    await expect(client.execute(decideCounted, {})).rejects.toThrow('"count" decided otherwise the second time');
    expect(client.status.getState().saved).toBe(0);
    await client.close();
  });

  it('time and ids from the context are the same in both runs', async () => {
    const client = open(true);
    expect(await client.execute(Thing, '1', 'make', {})).toMatchObject({ status: 'saved', events: 1 });
    await client.close();
  });

  it('a projection that gives other rows the second time is told, by event', async () => {
    const client = open(true);
    await client.mirror(Things).ready;
    await client.execute(Thing, '1', 'make', {});
    await expect
      .poll(() => client.status.getState().projections[0]?.errors[0]?.text)
      .toContain('on "Made" at position 1, gave other rows the second time');
    await client.close();
  });
});

describe('in production', () => {
  it('rules are run once', async () => {
    const client = open(false);
    count = 0;
    expect(await client.execute(Thing, '1', 'makeCounted', {})).toMatchObject({ status: 'saved' });
    expect(count).toBe(2);
    await client.close();
  });
});
