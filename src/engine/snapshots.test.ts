import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createClient } from '../client/client.ts';
import { defineAggregate } from '../core/aggregate.ts';
import { type App, defineApp } from '../core/app.ts';
import { shape } from '../core/schema.ts';
import { createUpcaster } from '../core/upcast.ts';
import { createMemoryEventLog, type MemoryEventLog } from '../log/memory-event-log.ts';
import { appSignature } from '../protocol/engine-api.ts';
import { Counter, CounterEvents, Counts, counterApp, Total } from '../testing/fixtures/counter-app.ts';
import { createInProcessWorker } from '../testing/in-process-worker.ts';
import { createEngine, type Engine } from './engine.ts';
import { createFold } from './projecting/fold.ts';
import { createProjector } from './projecting/projector.ts';
import { createStateSnapshots } from './state-snapshots.ts';
import { createStreamCache } from './stream-cache.ts';

const plain = { askToPersist: false };

describe('saved rows', () => {
  it('with the tail are what a replay of everything gives, wherever they were saved', async () => {
    const step = fc.record({
      id: fc.constantFrom('a', 'b', 'c'),
      by: fc.constantFrom(1, 2, 13),
      saves: fc.tuple(fc.boolean(), fc.boolean()),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const log = createMemoryEventLog();
        const folds = [Counts, Total].map((projection) => createFold(projection));
        const first = createProjector(createUpcaster(counterApp), folds, 0);
        for (const [index, { id, by, saves }] of steps.entries()) {
          const events = await log.write((transaction) =>
            transaction.append({
              commandId: `c${index}`,
              correlationId: `c${index}`,
              recordedAt: 0,
              events: [{ stream: `counter-${id}`, type: 'Counted', version: 1, data: { by } }],
            }),
          );
          first.apply(events);
          // Each may be saved at another time.
          const saved = folds.filter((_, place) => saves[place]).map((fold) => fold.save(true));
          expect(await log.snapshots.saveProjections(saved)).toBe(true);
        }
        const snapshots = await log.snapshots.loadProjections();
        for (const fold of folds) {
          const { name } = fold.projection;
          const second = createFold(
            fold.projection,
            snapshots.find(({ projection }) => projection === name),
          );
          for await (const events of log.read({ from: second.position + 1 })) {
            second.apply({ events, unreadable: [], to: events.at(-1)?.position ?? 0 }, false);
          }
          expect(second.position).toBe(steps.length);
          expect(second.left).toEqual(fold.left);
          expect([...second.rows]).toEqual([...fold.rows]);
        }
      }),
      { numRuns: 100, seed: 3 },
    );
  });

  it('are saved when the page rests, and shorten the next start', async () => {
    const log = createMemoryEventLog();
    const client = createClient(counterApp, () => createInProcessWorker({ app: counterApp, log }), plain);
    for (let index = 0; index < 10; index += 1) await client.execute(Counter, 'a', 'count', { by: 1 });
    await client.close();
    const reads: (number | undefined)[] = [];
    const watched: typeof log = {
      ...log,
      open: () => watched,
      read: (query) => {
        reads.push(query.from);
        return log.read(query);
      },
    };
    const start = async () => {
      const engine = await startEngine(counterApp, watched);
      await engine.mirror(Counts.name);
      return engine;
    };
    const engine = await start();
    await engine.rest();
    await start();
    expect(reads).toEqual([1]);
  });
});

describe('saved states', () => {
  const evolved: number[] = [];
  const Tally = defineAggregate('tally', {
    events: CounterEvents,
    initialState: () => ({ count: 0 }),
    evolve: {
      Counted: (state, { revision }) => {
        evolved.push(revision);
        return { count: state.count + 1 };
      },
      Closed: (state) => state,
    },
    commands: {
      count: {
        input: shape<Record<string, never>>(),
        decide: (_input, { count }) => CounterEvents.Counted({ by: count }),
      },
    },
    snapshot: { every: 5 },
  });
  const app = defineApp({ name: 'tally', aggregates: [Tally], projections: [] });
  const count = async (engine: Engine, commandId: string) => {
    const commands = [{ aggregate: 'tally', id: 'a', name: 'count', input: {} }];
    const { receipt } = await engine.execute({ commandId, commands });
    expect(receipt.status).toBe('saved');
  };

  it('shorten the first command on a long stream, and change nothing else', async () => {
    const log = createMemoryEventLog();
    const first = await startEngine(app, log);
    for (let index = 0; index < 12; index += 1) await count(first, `c${index}`);
    await first.rest();
    first.close();
    // Of the two, the second starts one event after what was saved.
    for (const [index, folded] of [[12], [12, 13]].entries()) {
      const engine = await startEngine(app, log);
      evolved.length = 0;
      await count(engine, `d${index}`);
      expect(evolved).toEqual(folded);
      await engine.rest();
      engine.close();
    }
    const counts: unknown[] = [];
    for await (const page of log.read({})) counts.push(...page.map(({ data }) => (data as { by: number }).by));
    expect(counts).toEqual(Array.from({ length: 14 }, (_, index) => index));
  });

  it('are frozen as those are that were folded', async () => {
    const { snapshots } = createMemoryEventLog();
    const { signature } = Tally;
    await snapshots.saveStates([{ stream: 'tally-a', signature, revision: 4, state: { count: 5 } }]);
    const cache = createStreamCache();
    await createStateSnapshots(app, snapshots, cache).load(['tally-a']);
    const { state } = cache.get('tally-a') ?? {};
    expect([state, Object.isFrozen(state)]).toEqual([{ count: 5 }, true]);
  });

  it('follow what the first rows are built from, so that commands after an import need not read their streams', async () => {
    const log = createMemoryEventLog();
    const writer = await startEngine(app, log);
    for (let index = 0; index < 7; index += 1) await count(writer, `c${index}`);
    writer.close();
    const shown = defineApp({ name: 'tally', aggregates: [Tally], projections: [Counts] });
    const engine = await startEngine(shown, log);
    await engine.mirror(Counts.name);
    evolved.length = 0;
    await count(engine, 'd');
    expect(evolved).toEqual([7]);
    engine.close();
  });

  it('follow what others append, so that the next command need not read it', async () => {
    const log = createMemoryEventLog();
    const [engine, other] = [await startEngine(app, log), await startEngine(app, log)];
    for (let index = 0; index < 7; index += 1) await count(other, `c${index}`);
    other.close();
    await engine.wake();
    evolved.length = 0;
    await count(engine, 'd');
    expect(evolved).toEqual([7]);
    await engine.rest();
    expect((await log.snapshots.loadStates(['tally-a']))[0]).toMatchObject({ revision: 7, state: { count: 8 } });
  });
});

async function startEngine(app: App, log: MemoryEventLog): Promise<Engine> {
  const env = { now: () => 0, newId: () => 'id' };
  const engine = createEngine({ app, env, openLog: async () => log.open(), durable: false });
  const { port1, port2 } = new MessageChannel();
  await engine.connect({ app: appSignature(app) }, port1);
  port2.close();
  return engine;
}
