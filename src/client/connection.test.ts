import { describe, expect, it } from 'vitest';
import { command } from '../core/index.ts';
import type { EventLog } from '../log/event-log.ts';
import { createMemoryEventLog } from '../log/memory-event-log.ts';
import { Counter, Counts, counterApp } from '../testing/fixtures/counter-app.ts';
import { createInProcessWorker } from '../testing/in-process-worker.ts';
import { type Client, createClient } from './client.ts';
import type { WorkerLike } from './connection.ts';

/** A client whose workers can be seen, and that asks after a silence of 30 ms. */
function open(
  startWorker: () => WorkerLike,
  patienceMs = 30,
): { readonly client: Client; readonly workers: WorkerLike[] } {
  const workers: WorkerLike[] = [];
  const client = createClient(
    counterApp,
    () => {
      const worker = startWorker();
      workers.push(worker);
      return worker;
    },
    { patienceMs },
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

async function fillLog(counter: string, length: number): Promise<EventLog> {
  const log = createMemoryEventLog({ logId: crypto.randomUUID() });
  const { client } = open(() => createInProcessWorker({ app: counterApp, log }));
  for (let by = 1; by <= length; by += 1) await client.execute(Counter, counter, 'count', { by });
  await client.close();
  return log;
}

describe('a worker that dies', () => {
  it('is replaced, and a command that was open is saved once', async () => {
    const log = createMemoryEventLog();
    const lossy = withLostAnswers(log, 1);
    const { client, workers } = open(() => createInProcessWorker({ app: counterApp, log: lossy }));
    const counts = client.mirror(Counts);
    await counts.ready;
    const saving = client.execute(Counter, 'a', 'count', { by: 1 }, { commandId: 'c1' });
    await expect.poll(() => log.head()).toBe(1);
    workers[0]?.terminate();
    expect(await saving).toMatchObject({ status: 'saved', commandId: 'c1', revision: 0, position: 1 });
    expect(workers).toHaveLength(2);
    expect(await log.head()).toBe(1);
    expect(counts.rows.get('a')?.count).toBe(1);
    await client.close();
  });

  it('may leave its place to one on another log: nothing that was known of the old one is left', async () => {
    const [old, other] = [await fillLog('old', 5), await fillLog('other', 2)];
    const { client, workers } = open(() =>
      createInProcessWorker({ app: counterApp, log: workers.length === 0 ? old : other }),
    );
    const counts = client.mirror(Counts);
    await counts.ready;
    expect(client.status.getState()).toMatchObject({ logId: old.logId, saved: 5 });
    const following = client.subscribe({}, { after: 5 })[Symbol.asyncIterator]().next();
    workers[0]?.terminate();
    const [next] = await Promise.allSettled([following, client.receipts.find('c1')]);
    expect(next).toMatchObject({ reason: { failure: { type: 'storage.replaced' } } });
    expect(client.status.getState()).toMatchObject({ phase: 'ready', logId: other.logId, saved: 2 });
    await counts.whenReached(2);
    expect([...counts.rows.keys()]).toEqual(['other']);
    await client.close();
  });

  it('does not make a saved command one that was cancelled, whatever its length', async () => {
    for (const length of [3, 600]) {
      const lossy = withLostAnswers(createMemoryEventLog(), 1);
      const { client, workers } = open(() => createInProcessWorker({ app: counterApp, log: lossy }));
      const commands = Array.from({ length }, (_, index) => command(Counter, `${index}`, 'count', { by: 1 }));
      const cancelling = new AbortController();
      const saving = client.execute(commands, { signal: cancelling.signal });
      await expect.poll(() => lossy.head()).toBe(length);
      cancelling.abort();
      workers[0]?.terminate();
      expect(await saving).toMatchObject({ status: 'saved', events: length });
      await client.close();
    }
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

  it('has its successor rebuild again where the new rows are still on their way', async () => {
    const log = await fillLog('a', 2);
    let answered = () => {};
    const isAnswered = new Promise<void>((resolve) => {
      answered = resolve;
    });
    const { client, workers } = open(() => {
      const worker = createInProcessWorker({ app: counterApp, log });
      if (workers.length > 0) return worker;
      let rebuildId = '';
      worker.addEventListener('message', (event) => {
        if ((event as MessageEvent).data.id === rebuildId) answered();
      });
      const postMessage: WorkerLike['postMessage'] = (message, transferred = []) => {
        const { id, path, argumentList } = message;
        if (path.at(-1) === 'rebuild') rebuildId = id;
        if (path.at(-1) !== 'connect') return worker.postMessage(message, transferred);
        // What this worker tells unasked is lost.
        const { port1 } = new MessageChannel();
        argumentList[1].value = port1;
        worker.postMessage(message, [port1]);
      };
      return { ...worker, postMessage };
    });
    const rebuilding = client.rebuild();
    await isAnswered;
    workers[0]?.terminate();
    await rebuilding;
    expect(workers).toHaveLength(2);
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

describe('a worker that starts', () => {
  it('is replaced where nothing is ever heard of it, also where nobody calls it', async () => {
    const log = createMemoryEventLog();
    const { client, workers } = open(() => {
      const worker = createInProcessWorker({ app: counterApp, log });
      return workers.length === 0 ? { ...worker, postMessage: () => undefined } : worker;
    });
    const stopping = new AbortController();
    const next = client.subscribe({}, { signal: stopping.signal })[Symbol.asyncIterator]().next();
    await expect.poll(() => client.status.getState().phase, { timeout: 3_000 }).toBe('ready');
    expect(workers).toHaveLength(2);
    stopping.abort();
    await next;
    await client.close();
  });

  it('is replaced where it is heard of no more', async () => {
    const log = createMemoryEventLog();
    const { client, workers } = open(() => {
      const worker = createInProcessWorker({ app: counterApp, log });
      if (workers.length > 0) return worker;
      // It answers until the log is to be opened.
      let isLost = false;
      const postMessage: WorkerLike['postMessage'] = (message, transferred) => {
        isLost ||= message.path.at(-1) === 'connect';
        if (!isLost) worker.postMessage(message, transferred);
      };
      return { ...worker, postMessage };
    });
    expect(await client.execute(Counter, 'a', 'count', { by: 1 })).toMatchObject({ status: 'saved' });
    expect(workers).toHaveLength(2);
    await client.close();
  });

  it('is left alone where its script is long on its way', async () => {
    const { client, workers } = open(() => {
      const worker = createInProcessWorker({ app: counterApp, log: createMemoryEventLog() });
      const loaded = new Promise((resolve) => setTimeout(resolve, 300));
      const postMessage: WorkerLike['postMessage'] = (...message) =>
        void loaded.then(() => worker.postMessage(...message));
      return { ...worker, postMessage };
    }, 100);
    expect(await client.execute(Counter, 'a', 'count', { by: 1 })).toMatchObject({ status: 'saved' });
    expect(workers).toHaveLength(1);
    await client.close();
  });

  it('is left alone while it opens a large log', async () => {
    const log = createMemoryEventLog();
    let opening: Promise<unknown> | undefined;
    const head: EventLog['head'] = async () => {
      opening ??= new Promise((resolve) => setTimeout(resolve, 1_000));
      await opening;
      return log.head();
    };
    const { client, workers } = open(() => createInProcessWorker({ app: counterApp, log: { ...log, head } }), 100);
    expect(await client.execute(Counter, 'a', 'count', { by: 1 })).toMatchObject({ status: 'saved' });
    expect(workers).toHaveLength(1);
    await client.close();
  });

  it('fails at once where the browser refuses it', async () => {
    const { client } = open(() => {
      throw new DOMException('The script is of another origin.', 'SecurityError');
    });
    const failure = { type: 'engine.stopped', text: expect.stringContaining('of another origin') };
    await expect(client.mirror(Counts).ready).rejects.toMatchObject({ failure });
    expect(client.status.getState()).toMatchObject({ phase: 'failed', failure });
    await client.close();
  });
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

  it('fails who follows the log of a worker that was built from other definitions', async () => {
    const other = { ...counterApp, name: 'another' };
    const { client } = open(() => createInProcessWorker({ app: other, log: createMemoryEventLog() }));
    const next = client.subscribe()[Symbol.asyncIterator]().next();
    await expect(next).rejects.toMatchObject({ failure: { type: 'engine.mismatch' } });
    await client.close();
  });

  it('tells who follows the log, or waits for a position, that it was closed', async () => {
    const { client } = open(() => createInProcessWorker({ app: counterApp, log: createMemoryEventLog() }));
    const counts = client.mirror(Counts);
    await counts.ready;
    const next = client.subscribe()[Symbol.asyncIterator]().next();
    const ended = Promise.allSettled([next, client.whenReached(1)]);
    await client.close();
    const closed = { status: 'rejected', reason: { failure: { type: 'engine.stopped' } } };
    expect(await ended).toMatchObject([closed, closed]);
    expect(counts.loaded).toBe(true);
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
