import { describe, expect, it } from 'vitest';
import type { EventLog } from '../log/event-log.ts';
import { createMemoryEventLog } from '../log/memory-event-log.ts';
import { Counter, Counts, counterApp } from '../testing/fixtures/counter-app.ts';
import { createInProcessWorker } from '../testing/in-process-worker.ts';
import { type Client, createClient } from './client.ts';
import type { WorkerLike } from './connection.ts';

/** A client whose workers can be seen, and that asks after a silence of 30 ms. */
function open(startWorker: () => WorkerLike): { readonly client: Client; readonly workers: WorkerLike[] } {
  const workers: WorkerLike[] = [];
  const client = createClient(
    counterApp,
    () => {
      const worker = startWorker();
      workers.push(worker);
      return worker;
    },
    { patienceMs: 30 },
  );
  return { client, workers };
}

/** A log whose next commits are stored but never answered, as when the worker dies between the two. */
function withLostAnswers(log: EventLog, count: number): EventLog {
  let lost = 0;
  return {
    ...log,
    write: async (work, options) => {
      const result = await log.write(work, options);
      if (lost === count) return result;
      lost += 1;
      return new Promise(() => undefined);
    },
  };
}

describe('a worker that dies', () => {
  it('is replaced, and a command that was open is saved once', async () => {
    const log = createMemoryEventLog();
    const lossy = withLostAnswers(log, 1);
    const { client, workers } = open(() => createInProcessWorker({ app: counterApp, log: lossy }));
    const counts = client.mirror(Counts);
    await counts.ready;
    const saving = client.execute(Counter, 'a', 'count', { by: 1 }, { commandId: 'c1' });
    await new Promise((resolve) => setTimeout(resolve, 5));
    workers[0]?.terminate();
    expect(await saving).toMatchObject({ status: 'saved', commandId: 'c1', revision: 0, position: 1 });
    expect(workers).toHaveLength(2);
    expect(await log.head()).toBe(1);
    expect(counts.rows.get('a')?.count).toBe(1);
    await client.close();
  });

  it('ends the export that it read, which another one would begin anew in the middle of the file', async () => {
    const log = createMemoryEventLog();
    const { client, workers } = open(() => createInProcessWorker({ app: counterApp, log }));
    await client.execute(Counter, 'a', 'count', { by: 1 });
    const reader = client.export().getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toContain('"varve":"log"');
    workers[0]?.terminate();
    const rest = async () => {
      while (!(await reader.read()).done);
    };
    await expect(rest()).rejects.toMatchObject({
      failure: { type: 'storage.failed', text: expect.stringContaining('Export it again') },
    });
    expect(await new Response(client.export()).text()).toContain('"end":{"head":1');
    await client.close();
  });

  it('that is only busy is left alone', async () => {
    const log = createMemoryEventLog();
    const slow: EventLog = {
      ...log,
      write: async (work) => {
        await new Promise((resolve) => setTimeout(resolve, 200));
        return log.write(work);
      },
    };
    const { client, workers } = open(() => createInProcessWorker({ app: counterApp, log: slow }));
    expect(await client.execute(Counter, 'a', 'count', { by: 1 })).toMatchObject({ status: 'saved' });
    expect(workers).toHaveLength(1);
    await client.close();
  });

  it('again and again is given up on, with a failure that says so', async () => {
    const { client, workers } = open(() => {
      const worker = createInProcessWorker({ app: counterApp, log: createMemoryEventLog() });
      worker.addEventListener = (type: string, listener: EventListenerOrEventListenerObject) => {
        // A script that cannot be loaded.
        if (type === 'error') setTimeout(() => (listener as EventListener)(new Event('error')));
      };
      return worker;
    });
    const receipt = await client.execute(Counter, 'a', 'count', { by: 1 });
    expect(receipt).toMatchObject({ status: 'failed', failure: { type: 'engine.stopped' } });
    expect(client.status.getState()).toMatchObject({ phase: 'failed', failure: { type: 'engine.stopped' } });
    expect(workers.length).toBeGreaterThan(3);
    await expect(client.mirror(Counts).ready).rejects.toThrow(/stopped again and again/);
    await client.close();
  }, 20_000);
});

describe('a client', () => {
  it('refuses a worker that was built from other definitions', async () => {
    const other = { ...counterApp, name: 'another' };
    const { client } = open(() => createInProcessWorker({ app: other, log: createMemoryEventLog() }));
    const receipt = await client.execute(Counter, 'a', 'count', { by: 1 });
    expect(receipt).toMatchObject({ status: 'failed', failure: { type: 'engine.mismatch' } });
    expect(client.status.getState().phase).toBe('outdated');
    await client.close();
  });

  it('answers what is open before it closes, and nothing after', async () => {
    const log = createMemoryEventLog();
    const { client } = open(() => createInProcessWorker({ app: counterApp, log }));
    const saving = client.execute(Counter, 'a', 'count', { by: 1 });
    await client.close();
    expect(await saving).toMatchObject({ status: 'saved' });
    expect(await client.execute(Counter, 'a', 'count', { by: 1 })).toMatchObject({
      status: 'failed',
      failure: { type: 'engine.stopped' },
    });
  });
});
