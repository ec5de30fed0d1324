import { describe, expect, expectTypeOf, it } from 'vitest';
import { createClient } from '../client/client.ts';
import { defineApp, defineDecision, defineValue, reject, shape, view } from '../core/index.ts';
import { createMemoryEventLog } from '../log/memory-event-log.ts';
import { Counter, CounterEvents, Counts } from '../testing/fixtures/counter-app.ts';
import { createInProcessWorker } from '../testing/in-process-worker.ts';
import { renderPage } from './fixtures/page.tsx';
import { type DecisionSender, useCommand, useValue } from './index.ts';

const Sum = defineValue('sum', {
  version: 1,
  from: [CounterEvents],
  initialValue: { sum: 0 },
  on: { Counted: ({ sum }, { data }) => ({ sum: sum + data.by }) },
});

const countUpTo = defineDecision('countUpTo', {
  events: CounterEvents,
  input: shape<{ most: number }>(),
  reads: () => ({
    all: view({ from: [CounterEvents], initialState: () => 0, on: { Counted: (sum, { data }) => sum + data.by } })(),
  }),
  decide: ({ most }, { all }) => (all >= most ? reject('enough', { all }) : CounterEvents.Counted({ by: 1 })),
});

const app = defineApp({ name: 'sums', aggregates: [Counter], projections: [Counts, Sum], decisions: [countUpTo] });

function openClient() {
  const log = createMemoryEventLog();
  return createClient(app, () => createInProcessWorker({ app, log }), { askToPersist: false });
}

describe('useValue', () => {
  it('gives the initial value, then what the events made of it, and renders when it changes', async () => {
    const client = openClient();
    let renders = 0;
    const Shown = () => {
      renders += 1;
      const value = useValue(Sum);
      expectTypeOf(value).toEqualTypeOf<{ sum: number }>();
      return `sum ${value.sum}`;
    };
    const page = renderPage(client, <Shown />);
    await page.shows('sum 0');
    const before = renders;
    await client.execute(Counter, 'a', 'count', { by: 2 });
    await page.shows('sum 2');
    // It changes rows, and not this value.
    await client.execute(Counter, 'a', 'close', {});
    expect(renders).toBe(before + 1);
    await page.unmount();
  });

  it('is undefined until it is there where it may not suspend', async () => {
    const client = openClient();
    const seen: (number | undefined)[] = [];
    const Shown = () => {
      const value = useValue(Sum, { suspend: false });
      seen.push(value?.sum);
      return `sum ${value?.sum ?? '-'}`;
    };
    const page = renderPage(client, <Shown />);
    await page.shows('sum 0');
    expect(seen).toEqual([undefined, 0]);
    await page.unmount();
  });
});

describe('useCommand of a decision', () => {
  it('sends it, and shows what it was rejected with', async () => {
    const client = openClient();
    let send: DecisionSender<{ most: number }> | undefined;
    const Button = () => {
      const count = useCommand(countUpTo);
      expectTypeOf(count).parameter(0).toEqualTypeOf<{ most: number }>();
      expectTypeOf<NonNullable<typeof count.rejection>['code']>().toEqualTypeOf<'enough' | 'invalid-input'>();
      send = count;
      return `${useValue(Sum).sum} ${count.rejection?.code ?? '-'}`;
    };
    const page = renderPage(client, <Button />);
    await page.shows('0 -');
    expect(await send?.({ most: 1 })).toMatchObject({ status: 'saved' });
    await page.shows('1 -');
    expect(await send?.({ most: 1 })).toMatchObject({ status: 'rejected', rejection: { details: { all: 1 } } });
    await page.shows('1 enough');
    await page.unmount();
  });
});
