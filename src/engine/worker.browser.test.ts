import { describe, expect, it } from 'vitest';
import { createClient } from '../client/client.ts';
import { command, defineApp } from '../core/index.ts';
import { createMemoryEventLog } from '../log/memory-event-log.ts';
import { Counter, Counts, Total } from '../testing/fixtures/counter-app.ts';
import { createInProcessWorker } from '../testing/in-process-worker.ts';

// One database name for all tests of this file: each test counts on ids of its own.
const app = defineApp({ name: 'counter', aggregates: [Counter], projections: [Counts, Total] });

function open() {
  const workers: Worker[] = [];
  const client = createClient(
    app,
    () => {
      const worker = new Worker(new URL('../testing/fixtures/counter.worker.ts', import.meta.url), { type: 'module' });
      workers.push(worker);
      return worker;
    },
    { askToPersist: false },
  );
  return { client, workers };
}

describe('the engine in a real worker', () => {
  it('starts, answers, and finds everything after a restart', async () => {
    const id = crypto.randomUUID();
    const first = open().client;
    expect(await first.execute(Counter, id, 'count', { by: 5 })).toMatchObject({ status: 'saved', revision: 0 });
    expect(first.status.getState()).toMatchObject({ phase: 'ready', storage: 'best-effort' });
    await first.close();
    const second = open().client;
    const counts = second.mirror(Counts);
    await counts.ready;
    expect(counts.rows.get(id)?.count).toBe(5);
    await second.close();
  });

  it('finds what became of a command of an earlier visit', async () => {
    const id = crypto.randomUUID();
    const first = open().client;
    const early = await first.execute(Counter, id, 'countTwice', { by: 5 }, { commandId: `early ${id}` });
    await first.execute(Counter, `${id}-other`, 'count', { by: 1 });
    const late = await first.execute(Counter, id, 'count', { by: 5 }, { commandId: `late ${id}` });
    await first.close();
    const second = open().client;
    expect(await second.receipts.find(`early ${id}`)).toEqual(early);
    expect(await second.receipts.find(`late ${id}`)).toEqual(late);
    expect(await second.receipts.find(`never ${id}`)).toBeUndefined();
    expect(await second.execute(Counter, id, 'count', { by: 5 }, { commandId: `late ${id}` })).toEqual(late);
    await second.close();
  });

  it('shows in one tab what another saved', async () => {
    const id = crypto.randomUUID();
    const [one, two] = [open().client, open().client];
    const counts = two.mirror(Counts);
    await counts.ready;
    const receipt = await one.execute(Counter, id, 'count', { by: 2 });
    await counts.whenReached(receipt.status === 'saved' ? receipt.position : 0);
    expect(counts.rows.get(id)?.count).toBe(2);
    await Promise.all([one.close(), two.close()]);
  });

  it('keeps positions and revisions dense with three tabs writing to one stream, without a conflict', async () => {
    const id = crypto.randomUUID();
    const clients = [open().client, open().client, open().client];
    const receipts = await Promise.all(
      clients.flatMap((client) => Array.from({ length: 100 }, () => client.execute(Counter, id, 'count', { by: 1 }))),
    );
    expect(receipts.every(({ status }) => status === 'saved')).toBe(true);
    const [reader] = clients;
    const positions: number[] = [];
    const revisions: number[] = [];
    for await (const event of reader?.read() ?? []) {
      positions.push(event.position);
      if (event.stream === `counter-${id}`) revisions.push(event.revision);
    }
    expect(positions).toEqual(positions.map((_, index) => index + 1));
    expect(revisions).toEqual(Array.from({ length: 300 }, (_, index) => index));
    for (const client of clients) {
      const counts = client.mirror(Counts);
      await counts.ready;
      await counts.whenReached(positions.length);
      expect(counts.rows.get(id)?.count).toBe(300);
    }
    await Promise.all(clients.map((client) => client.close()));
  });

  it('is replaced when it is terminated, again and again, and every command is saved once', async () => {
    const id = crypto.randomUUID();
    const { client, workers } = open();
    const counts = client.mirror(Counts);
    await counts.ready;
    const receipts = [];
    for (let round = 0; round < 4; round += 1) {
      const saving = Array.from({ length: 50 }, () => client.execute(Counter, id, 'count', { by: 1 }));
      await new Promise((resolve) => setTimeout(resolve, round * 3));
      // As a crash: nothing of ours is told. The lock that the worker held is what gives it away.
      workers.at(-1)?.terminate();
      receipts.push(...(await Promise.all(saving)));
    }
    // The last one may have died with nothing left to do: its successor starts a moment later.
    await expect.poll(() => workers.length).toBe(5);
    expect(receipts.map((receipt) => receipt.status === 'saved' && receipt.events)).toEqual(receipts.map(() => 1));
    expect(counts.rows.get(id)?.count).toBe(200);
    await client.close();
  }, 20_000);

  it('is not replaced where the client is closed before that, and once where it is restarted', async () => {
    for (const [end, expected] of [
      ['close', 2],
      ['startOver', 3],
    ] as const) {
      const { client, workers } = open();
      const isReady = () => expect.poll(() => client.receipts.find('nothing').then(() => true)).toBe(true);
      await isReady();
      workers.at(-1)?.terminate();
      await expect.poll(() => workers.length).toBe(2);
      await isReady();
      // After the second death its successor is left some time.
      workers.at(-1)?.terminate();
      await new Promise((resolve) => setTimeout(resolve, 80));
      expect(workers).toHaveLength(2);
      await client[end]();
      if (end === 'startOver') await isReady();
      await new Promise((resolve) => setTimeout(resolve, 400));
      expect(workers, end).toHaveLength(expected);
      await client.close();
    }
  });

  it('commits a list of ten thousand commands as one', async () => {
    const id = crypto.randomUUID();
    const { client } = open();
    const commands = Array.from({ length: 10_000 }, () => command(Counter, id, 'count', { by: 1 }));
    const receipt = await client.execute(commands);
    expect(receipt).toMatchObject({ status: 'saved', events: 10_000, revision: 9999 });
    await client.close();
  }, 20_000);

  it('remembers nothing of a log in memory, which is gone with its page and missed by nobody', async () => {
    localStorage.clear();
    const log = createMemoryEventLog();
    const client = createClient(app, () => createInProcessWorker({ app, log }));
    await client.execute(Counter, 'a', 'count', { by: 1 });
    expect(localStorage.length).toBe(0);
    await client.close();
  });

  it('says that the log is gone where a page remembers one, and starts over only when told to', async () => {
    const { client } = open();
    await client.execute(Counter, crypto.randomUUID(), 'count', { by: 1 });
    await client.close();
    await new Promise((resolve) => {
      indexedDB.deleteDatabase('varve-counter').onsuccess = resolve;
    });
    const again = open().client;
    const receipt = await again.execute(Counter, 'a', 'count', { by: 1 });
    expect(receipt).toMatchObject({ status: 'failed', failure: { type: 'storage.reset' } });
    expect(again.status.getState()).toMatchObject({ phase: 'failed', failure: { type: 'storage.reset' } });
    again.startOver();
    expect(await again.execute(Counter, 'a', 'count', { by: 1 })).toMatchObject({ status: 'saved', position: 1 });
    expect(again.status.getState()).toMatchObject({ phase: 'ready', saved: 1 });
    await again.close();
  });

  it('exports, rebuilds and checks its log, and an import shows in every tab', async () => {
    const [one, two] = [open().client, open().client];
    const [counts, otherCounts] = [one.mirror(Counts), two.mirror(Counts)];
    await one.execute(Counter, 'kept', 'count', { by: 3 });
    const exported = await new Response(one.export()).blob();
    const receipt = await one.execute(Counter, 'kept', 'count', { by: 4 });
    await one.rebuild();
    expect(counts.rows.get('kept')?.count).toBe(7);
    const progress: number[] = [];
    const checked = await one.verify({ onProgress: ({ done }) => progress.push(done) });
    expect(checked).toEqual({ status: 'verified', events: receipt.status === 'saved' && receipt.position });
    expect(progress.at(-1)).toBe(checked.status === 'verified' && checked.events);

    expect(await one.import(exported)).toMatchObject({ status: 'failed', failure: { type: 'import.refused' } });
    expect(counts.rows.get('kept')?.count).toBe(7);
    expect(await one.import(exported, { replace: true })).toMatchObject({ status: 'imported' });
    expect(counts.rows.get('kept')?.count).toBe(3);
    expect(await one.execute(Counter, 'kept', 'count', { by: 10 })).toMatchObject({ status: 'saved' });
    // The other tab hears of it at its next call at the latest; this one finds another log, and the next is stored.
    const first = await two.execute(Counter, 'kept', 'count', { by: 100 });
    if (first.status !== 'saved') {
      expect(first).toMatchObject({ status: 'failed', failure: { type: 'storage.replaced' } });
      expect(await two.execute(Counter, 'kept', 'count', { by: 100 })).toMatchObject({ status: 'saved' });
    }
    expect(otherCounts.rows.get('kept')?.count).toBe(113);
    expect(await two.verify()).toMatchObject({ status: 'verified' });
    await Promise.all([one.close(), two.close()]);
  });

  it('says so when its database is deleted while it runs, and stores nothing more', async () => {
    const { client } = open();
    await client.execute(Counter, 'b', 'count', { by: 1 });
    await new Promise((resolve) => {
      indexedDB.deleteDatabase('varve-counter').onsuccess = resolve;
    });
    expect(await client.execute(Counter, 'b', 'count', { by: 1 })).toMatchObject({
      status: 'failed',
      failure: { type: 'storage.reset' },
    });
    expect(client.status.getState().phase).toBe('failed');
    await client.close();
    localStorage.clear();
  });
});
