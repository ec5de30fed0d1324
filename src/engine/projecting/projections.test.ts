import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { type Client, createClient } from '../../client/client.ts';
import { defineApp, defineProjection, type Projection, shape } from '../../core/index.ts';
import { createMemoryEventLog, type MemoryEventLog } from '../../log/memory-event-log.ts';
import { appSignature } from '../../protocol/engine-api.ts';
import { Counter, CounterEvents } from '../../testing/fixtures/counter-app.ts';
import { createInProcessWorker } from '../../testing/in-process-worker.ts';
import { createEngine } from '../engine.ts';

/** Counts by id; `step` tells one build of the app from another. */
function toApp({ version = 1, row = z.object({ count: z.number() }), step = (by: number) => by } = {}) {
  const Counts = defineProjection('counts', {
    version,
    from: [CounterEvents],
    row,
    on: { Counted: (before, { data }) => ({ count: (before?.count ?? 0) + step(data.by) }) },
  });
  const Closings = defineProjection('closings', {
    version: 1,
    from: [CounterEvents],
    row: shape<{ closed: boolean }>(),
    on: { Closed: () => ({ closed: true }) },
  });
  return { Counts, app: defineApp({ name: 'counter', aggregates: [Counter], projections: [Counts, Closings] }) };
}

type CountsApp = ReturnType<typeof toApp>;

/** A log whose reads wait, one page at a time, until they are let through. */
function holdReads(log: MemoryEventLog) {
  const starts: (number | undefined)[] = [];
  const waiting: (() => void)[] = [];
  let held = true;
  const held_: MemoryEventLog = {
    ...log,
    open: () => held_,
    read: async function* (query) {
      starts.push(query.from);
      for await (const page of log.read(query)) {
        if (held) await new Promise<void>((resolve) => waiting.push(resolve));
        yield page;
      }
    },
  };
  return {
    log: held_,
    starts,
    /** Lets everything through that waits now. */
    letOne: async () => {
      await until(() => waiting.length > 0);
      for (const resolve of waiting.splice(0)) resolve();
    },
    letAll: () => {
      held = false;
      for (const resolve of waiting.splice(0)) resolve();
    },
  };
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let turn = 0; !isTrue(); turn += 1) {
    if (turn > 2000) throw new Error('It did not come about.');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function open({ app }: CountsApp, log: MemoryEventLog): Client {
  return createClient(app, () => createInProcessWorker({ app, log: log.open() }), { askToPersist: false });
}

async function count(client: Client, by: number, times = 1): Promise<void> {
  for (let turn = 0; turn < times; turn += 1) {
    expect(await client.execute(Counter, 'a', 'count', { by })).toMatchObject({ status: 'saved' });
  }
}

async function filledLog(events: number, app = toApp()): Promise<MemoryEventLog> {
  const log = createMemoryEventLog();
  const client = open(app, log);
  await client.mirror(app.Counts).ready;
  await count(client, 1, events);
  await save(app, log);
  await client.close();
  return log;
}

/** Saves the rows of a build of the app, as its page does when it is hidden. */
async function save({ app, Counts }: CountsApp, log: MemoryEventLog): Promise<void> {
  const env = { now: () => 0, newId: () => 'id' };
  const engine = createEngine({ app, env, openLog: async () => log.open(), durable: false });
  const { port1, port2 } = new MessageChannel();
  await engine.connect({ app: appSignature(app) }, port1);
  await engine.mirror(Counts.name);
  await engine.rest();
  engine.close();
  port2.close();
}

describe('a projection that was changed', () => {
  it('is built beside its old rows, which are shown meanwhile, and then takes their place', async () => {
    const log = await filledLog(3);
    const held = holdReads(log);
    const changed = toApp({ version: 2, step: (by) => by * 10 });
    const client = open(changed, held.log);
    const mirror = client.mirror(changed.Counts);
    await mirror.ready;
    expect([mirror.rows.get('a'), mirror.isBehind]).toEqual([{ count: 3 }, true]);
    // Commands do not wait for it, and do not move the old rows: the code that made them is gone.
    await count(client, 1);
    expect(mirror.rows.get('a')).toEqual({ count: 3 });
    await until(() => client.status.getState().projections[0]?.lag === 1);
    held.letAll();
    await mirror.whenReached(4);
    expect([mirror.rows.get('a'), mirror.isBehind]).toEqual([{ count: 40 }, false]);
    await count(client, 1);
    expect(mirror.rows.get('a')).toEqual({ count: 50 });
    await until(() => client.status.getState().projections.length === 0);
    await client.close();
  });

  it('shows nothing until it is built where its old rows do not fit the new code, or cannot be checked', async () => {
    const unfit = z.object({ count: z.number(), owner: z.string() });
    const throwing = z.preprocess((row: { items: number[] }) => ({ ...row, count: row.items.length }), unfit);
    for (const row of [unfit, throwing, shape<{ count: number }>()]) {
      const log = await filledLog(3);
      const held = holdReads(log);
      const changed = toApp({ version: 2, row: row as typeof unfit });
      const client = open(changed, held.log);
      const mirror = client.mirror(changed.Counts);
      await until(() => held.starts.length > 0);
      await count(client, 1);
      expect(mirror.loaded).toBe(false);
      held.letAll();
      await mirror.ready;
      expect(mirror.rows.get('a')).toEqual({ count: 4 });
      await client.close();
    }
  });

  it('is not folded where it was not changed, while another one is built', async () => {
    const log = await filledLog(3);
    const held = holdReads(log);
    const changed = toApp({ version: 2 });
    const client = open(changed, held.log);
    const closings = [...changed.app.projections.values()][1] as Projection;
    await client.mirror(closings).ready;
    expect(client.mirror(closings).isBehind).toBe(false);
    await client.execute(Counter, 'a', 'close', {});
    expect(client.mirror(closings).rows.get('a')).toEqual({ closed: true });
    expect(held.starts).toEqual([1]);
    held.letAll();
    await client.close();
  });

  it('answers queries with its old rows until the new ones take their place, whoever comes and goes meanwhile', async () => {
    const log = await filledLog(3);
    const held = holdReads(log);
    const changed = toApp({ version: 2, step: (by) => by * 10 });
    const client = open(changed, held.log);
    const early = client.query(changed.Counts, { limit: 1 });
    await early.ready;
    expect(early.rows).toEqual([{ key: 'a', row: { count: 3 } }]);
    await count(client, 1);
    expect(early.rows).toEqual([{ key: 'a', row: { count: 3 } }]);
    // One that is closed before its answer comes, and one that is opened while the rows are old.
    client.query(changed.Counts, { limit: 2 }).close();
    const late = client.query(changed.Counts, { limit: 3 });
    await late.ready;
    expect(late.rows).toEqual(early.rows);
    held.letAll();
    await client.whenReached(4);
    expect([early.rows, late.rows]).toEqual([[{ key: 'a', row: { count: 40 } }], [{ key: 'a', row: { count: 40 } }]]);
    // From now on a command waits for it again.
    await count(client, 1);
    expect([early.rows[0]?.row, late.rows[0]?.row]).toEqual([{ count: 50 }, { count: 50 }]);
    await client.close();
  });

  it('goes on with building where the page was left in the middle', async () => {
    const log = await filledLog(2500);
    let now = 0;
    const env = { now: () => now, newId: () => crypto.randomUUID() };
    const changed = toApp({ version: 2, step: (by) => by * 10 });
    const first = holdReads(log);
    const worker = () => createInProcessWorker({ app: changed.app, log: first.log, env });
    const client = createClient(changed.app, worker, { askToPersist: false });
    await client.mirror(changed.Counts).ready;
    now += 10_000;
    await first.letOne();
    await expect
      .poll(async () => (await log.snapshots.loadProjections()).filter(({ isComplete }) => !isComplete))
      .toMatchObject([{ projection: 'counts', signature: expect.stringContaining('counts@2'), upTo: 999 }]);
    await client.close();
    const second = holdReads(log);
    const again = open(changed, second.log);
    second.letAll();
    await again.mirror(changed.Counts).ready;
    await until(() => !again.mirror(changed.Counts).isBehind);
    expect(second.starts[0]).toBe(1000);
    expect(again.mirror(changed.Counts).rows.get('a')).toEqual({ count: 25_000 });
    await again.close();
  });
});

describe('a projection that throws on an event', () => {
  const broken = toApp({
    step: (by) => {
      if (by === 13) throw new Error('thirteen');
      return by;
    },
  });

  it('leaves the event out, says so, and goes on', async () => {
    const log = createMemoryEventLog();
    const client = open(broken, log);
    await client.mirror(broken.Counts).ready;
    for (const by of [1, 13, 13, 2]) await count(client, by);
    expect(client.mirror(broken.Counts).rows.get('a')).toEqual({ count: 3 });
    const [status] = client.status.getState().projections;
    expect(status).toMatchObject({ projection: 'counts', quarantined: 2, errors: [{ position: 2 }, { position: 3 }] });
    expect(status?.errors[0]?.text).toContain('Error: thirteen');
    await client.close();
  });

  it('is built anew by the next start, so that a mended handler heals it without a new version', async () => {
    const log = createMemoryEventLog();
    const client = open(broken, log);
    await client.mirror(broken.Counts).ready;
    for (const by of [1, 13, 2]) await count(client, by);
    await client.close();
    await save(broken, log);
    const mended = toApp();
    const again = open(mended, log);
    await again.mirror(mended.Counts).ready;
    await until(() => again.mirror(mended.Counts).rows.get('a')?.count === 16);
    expect(again.status.getState().projections).toEqual([]);
    await again.close();
  });

  it('is built anew on demand', async () => {
    let isMended = false;
    const mending = toApp({
      step: (by) => {
        if (by === 13 && !isMended) throw new Error('thirteen');
        return by;
      },
    });
    const client = open(mending, createMemoryEventLog());
    await client.mirror(mending.Counts).ready;
    for (const by of [1, 13, 2]) await count(client, by);
    isMended = true;
    await client.rebuild(mending.Counts);
    expect(client.mirror(mending.Counts).rows.get('a')).toEqual({ count: 16 });
    await until(() => client.status.getState().projections.length === 0);
    await client.close();
  });
});

describe('a rebuild', () => {
  it('shows the old rows, which follow the log, until the new ones take their place', async () => {
    const app = toApp();
    const held = holdReads(await filledLog(3));
    const client = open(app, held.log);
    const mirror = client.mirror(app.Counts);
    await mirror.ready;
    const rebuilt = client.rebuild();
    await until(() => held.starts.includes(1));
    await count(client, 1);
    expect([mirror.rows.get('a'), mirror.isBehind]).toEqual([{ count: 4 }, false]);
    await until(
      () => client.status.getState().projections.filter(({ building }) => building?.total === 4).length === 2,
    );
    held.letAll();
    await rebuilt;
    expect(mirror.rows.get('a')).toEqual({ count: 4 });
    await until(() => client.status.getState().projections.length === 0);
    await client.close();
  });

  it('comes to an end while commands keep coming', async () => {
    const app = toApp();
    const client = open(app, await filledLog(2000));
    await client.mirror(app.Counts).ready;
    let isDone = false;
    const rebuilt = client.rebuild().then(() => {
      isDone = true;
    });
    let sent = 0;
    while (!isDone && sent < 3000) {
      await count(client, 1, 10);
      sent += 10;
    }
    await rebuilt;
    expect(isDone).toBe(true);
    expect(client.mirror(app.Counts).rows.get('a')).toEqual({ count: 2000 + sent });
    await client.close();
  });
});
