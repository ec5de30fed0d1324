import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { FailureError } from '../../core/errors.ts';
import {
  type App,
  defineAggregate,
  defineApp,
  defineEvents,
  defineProjection,
  type EventSet,
  shape,
  versions,
} from '../../core/index.ts';
import { createUpcaster } from '../../core/upcast.ts';
import type { EventLog } from '../../log/event-log.ts';
import { createMemoryEventLog, type MemoryEventLog } from '../../log/memory-event-log.ts';
import { Counter, CounterEvents } from '../../testing/fixtures/counter-app.ts';
import { createCurrentLog } from '../current-log.ts';
import { startProjections } from './projections.ts';

/** Sums in two projections, of which one is of another version in each build of the app. */
function toApp(version = 1, check = (_position: number) => {}): App {
  const projections = [sums('stable', 1, check), sums('changed', version, check)];
  return defineApp({ name: 'sums', aggregates: [Counter], projections });
}

function sums(name: string, weight: number, check = (_position: number) => {}) {
  return defineProjection(name, {
    version: weight,
    from: [CounterEvents],
    row: z.object({ sum: z.number() }),
    on: {
      Counted: (row, { data, position }) => {
        check(position);
        return { sum: (row?.sum ?? 0) + data.by * weight };
      },
    },
  });
}

async function append(log: MemoryEventLog, times = 1, form = { type: 'Counted', version: 1 }) {
  const commit = async () => {
    const commandId = `c${(await log.head()) + 1}`;
    const events = [{ stream: 'counter-a', ...form, data: { by: 1 } }];
    return log.write((transaction) =>
      transaction.append({ commandId, correlationId: commandId, recordedAt: 0, events }),
    );
  };
  for (let turn = 1; turn < times; turn += 1) await commit();
  return commit();
}

/** A worker's rows on a log whose reads and saves can be held, or fail. */
async function start(app: App, log: MemoryEventLog, { readsWait = false } = {}) {
  const storage = { readsFail: false, readsWait, savesWait: false };
  const waits = async (isHeld: () => boolean) => {
    while (isHeld()) await pause();
  };
  let now = 0;
  let told = 0;
  const newRows: string[] = [];
  const upcaster = createUpcaster(app);
  const slow: EventLog = {
    ...log,
    read: async function* (query) {
      for await (const page of log.read(query)) {
        for (let start = 0; start < page.length; start += 2) {
          await waits(() => storage.readsWait);
          if (storage.readsFail) throw new FailureError({ type: 'storage.failed', text: 'It cannot be read.' });
          yield page.slice(start, start + 2);
        }
      }
    },
    snapshots: {
      ...log.snapshots,
      saveProjections: async (snapshots) => {
        const copy = structuredClone(snapshots);
        await waits(() => storage.savesWait);
        return log.snapshots.saveProjections(copy);
      },
    },
  };
  const projections = await startProjections({
    app,
    log: createCurrentLog(slow, upcaster),
    upcaster,
    now: () => now,
    isWanted: () => false,
    onPatch: () => undefined,
    onEvents: () => undefined,
    onNewRows: (names) => newRows.push(...names),
    onChange: () => {
      told += 1;
    },
    onFailure: () => undefined,
  });
  return {
    projections,
    get told() {
      return told;
    },
    storage,
    newRows,
    sum: (name: string) => projections.rowsOf(name)?.rows.get('a') as { readonly sum: number } | undefined,
    isBehind: (name: string) => projections.rowsOf(name)?.isBehind,
    moveClock: (byMs: number) => {
      now += byMs;
    },
  };
}

/** A log whose rows were saved by the first build of the app. */
async function filledLog(events: number): Promise<MemoryEventLog> {
  const log = createMemoryEventLog();
  await append(log, events);
  const { projections } = await start(toApp(), log);
  await Promise.all(['stable', 'changed'].map((name) => projections.ready(name)));
  await projections.saveNow();
  projections.close();
  return log;
}

const pause = () => new Promise<void>((resolve) => setTimeout(resolve));

describe('a build that fails', () => {
  it('is gone on with after a rebuild of another projection', async () => {
    const log = await filledLog(3);
    const worker = await start(toApp(2), log);
    worker.storage.readsFail = true;
    await worker.projections.follow();
    await pause();
    expect(worker.isBehind('changed')).toBe(true);
    worker.storage.readsFail = false;
    await worker.projections.rebuild(['stable']);
    await worker.projections.follow();
    await expect.poll(() => worker.sum('changed')).toEqual({ sum: 6 });
    expect(worker.isBehind('changed')).toBe(false);
    worker.projections.close();
  });

  it('leaves on screen what was there: old rows, or those that could be read', async () => {
    for (const version of [1, 2]) {
      const log = await filledLog(3);
      await append(log);
      const worker = await start(toApp(version), log);
      worker.storage.readsFail = true;
      const rebuilt = worker.projections.rebuild(['changed']).catch(() => undefined);
      await worker.projections.follow();
      await rebuilt;
      expect(worker.sum('changed')).toEqual({ sum: 3 });
      worker.projections.close();
    }
  });

  it('keeps nobody waiting while it is tried again', async () => {
    const log = await filledLog(3);
    const worker = await start(toApp(2), log);
    worker.storage.readsFail = true;
    await pause();
    worker.storage.readsFail = false;
    // Of what is shown nothing is to be read, and the build does not end.
    worker.storage.readsWait = true;
    await worker.projections.follow();
    worker.storage.readsWait = false;
    await expect.poll(() => worker.sum('changed')).toEqual({ sum: 6 });
    worker.projections.close();
  });
});

describe('a rebuild', () => {
  it('tells how far it has come also where the clock is set back', async () => {
    const log = createMemoryEventLog();
    await append(log, 3);
    const worker = await start(toApp(), log, { readsWait: true });
    worker.moveClock(-1_000);
    worker.storage.readsWait = false;
    await worker.projections.ready('stable');
    // On the way, and at the end.
    expect(worker.told).toBe(2);
  });

  it('that fails says so, and is tried again', async () => {
    const log = await filledLog(3);
    const worker = await start(toApp(), log);
    worker.storage.readsFail = true;
    await expect(worker.projections.rebuild(['stable'])).rejects.toThrow('It cannot be read.');
    expect(worker.sum('stable')).toEqual({ sum: 3 });
    worker.storage.readsFail = false;
    await worker.projections.follow();
    await expect.poll(() => worker.newRows).toEqual(['stable']);
    worker.projections.close();
  });

  it('that is left in the middle leaves the rows that were saved', async () => {
    const log = await filledLog(3);
    const left = await start(toApp(), log);
    left.storage.readsWait = true;
    void left.projections.rebuild(['stable']);
    await pause();
    left.moveClock(10_000);
    left.storage.readsWait = false;
    await expect
      .poll(async () => (await log.snapshots.loadProjections()).map(({ isComplete }) => isComplete))
      .toContain(false);
    left.projections.close();
    const next = await start(toApp(), log);
    next.storage.readsWait = true;
    expect([next.sum('stable'), next.isBehind('stable')]).toEqual([{ sum: 3 }, false]);
    next.projections.close();
  });
});

describe('saved rows', () => {
  it('are those that were built, also where others were being saved at that moment', async () => {
    const log = await filledLog(3);
    const worker = await start(toApp(2), log);
    worker.storage.readsWait = true;
    await worker.projections.advance(await append(log));
    worker.storage.savesWait = true;
    const saved = worker.projections.saveNow();
    worker.storage.readsWait = false;
    await expect.poll(() => worker.sum('changed')).toEqual({ sum: 8 });
    worker.storage.savesWait = false;
    await saved;
    await worker.projections.saveNow();
    worker.projections.close();
    const next = await start(toApp(2), log);
    next.storage.readsWait = true;
    expect([next.sum('changed'), next.isBehind('changed')]).toEqual([{ sum: 8 }, false]);
    next.projections.close();
  });

  it('that had to leave an event out are not gone on from once their code may be mended', async () => {
    const log = createMemoryEventLog();
    await append(log, 5);
    let isMended = false;
    const app = toApp(1, (position) => {
      if (position === 1 && !isMended) throw new Error('one');
    });
    const left = await start(app, log, { readsWait: true });
    left.moveClock(10_000);
    left.storage.readsWait = false;
    await expect.poll(async () => (await log.snapshots.loadProjections()).length).toBe(2);
    left.projections.close();
    isMended = true;
    const next = await start(app, log);
    await next.projections.ready('stable');
    expect(next.sum('stable')).toEqual({ sum: 5 });
    expect(next.projections.statuses()).toEqual([]);
    next.projections.close();
  });

  it('tell no more of events that a newer build can read under another name', async () => {
    const log = createMemoryEventLog();
    const data = shape<{ cents: number }>();
    const build = (events: EventSet) => {
      const Bill = defineAggregate('bill', { events, initialState: () => 0, evolve: {}, commands: {} });
      return defineApp({ name: 'bills', aggregates: [Bill], projections: [sums('stable', 1)] });
    };
    const old = build(defineEvents({ Paid: data }));
    const renamed = build(
      defineEvents({
        Settled: versions(data)
          .to(data, (before) => before)
          .formerly('Paid'),
      }),
    );
    await append(log, 1, { type: 'Paid', version: 2 });
    const before = await start(old, log);
    await before.projections.ready('stable');
    expect(before.projections.unreadable()).toMatchObject([{ eventType: 'Paid', version: 2, count: 1 }]);
    await before.projections.saveNow();
    before.projections.close();
    const now = await start(renamed, log);
    await expect.poll(() => now.projections.unreadable()).toEqual([]);
    now.projections.close();
  });
});
