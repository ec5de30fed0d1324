import { describe, expect, it } from 'vitest';
import { FailureError } from '../core/errors.ts';
import { command, type RecordedEvent } from '../core/index.ts';
import type { EventLog } from '../log/event-log.ts';
import { createMemoryEventLog } from '../log/memory-event-log.ts';
import { Counter, Counts, counterApp, Total } from '../testing/fixtures/counter-app.ts';
import { createInProcessWorker } from '../testing/in-process-worker.ts';
import { type Client, createClient } from './client.ts';

function open(log: EventLog = createMemoryEventLog()): Client {
  return createClient(counterApp, () => createInProcessWorker({ app: counterApp, log }));
}

async function readAll(client: Client): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const event of client.read()) events.push(event);
  return events;
}

describe('a client that joins a log', () => {
  it('refuses what is no id of a log: it would be kept, and never sync', () => {
    const createWorker = () => {
      throw new Error('It was started.');
    };
    for (const log of ['', 'a b/c', 'x'.repeat(129), 'a\u0085']) {
      expect(() => createClient(counterApp, createWorker, { log })).toThrow('is the id of no log: 1 to 128 letters');
    }
    expect(() => createClient(counterApp, createWorker, { log: undefined })).not.toThrow();
  });
});

describe('an export that is not read to its end', () => {
  it('lets go of the log', async () => {
    const log = createMemoryEventLog();
    let listening = 0;
    const onRebase: EventLog['onRebase'] = (listener) => {
      listening += 1;
      const stop = log.onRebase(listener);
      return () => {
        listening -= 1;
        stop();
      };
    };
    const client = open({ ...log, onRebase });
    await client.execute(Counter, 'a', 'count', { by: 1 });
    const before = listening;
    const reader = client.export().getReader();
    for (let pieces = 0; pieces < 2; pieces += 1) expect((await reader.read()).done).toBe(false);
    expect(listening).toBe(before + 1);
    await reader.cancel();
    expect(listening).toBe(before);
    await client.close();
  });
});

describe('execute', () => {
  it('stores what was decided and answers with a receipt', async () => {
    const client = open();
    const receipt = await client.execute(Counter, 'a', 'countTwice', { by: 2 }, { commandId: 'c1' });
    expect(receipt).toEqual({
      status: 'saved',
      commandId: 'c1',
      stream: 'counter-a',
      revision: 1,
      position: 2,
      events: 2,
    });
    const events = await readAll(client);
    expect(events.map(({ id, stream, data }) => [id, stream, data])).toEqual([
      ['c1.0', 'counter-a', { by: 2 }],
      ['c1.1', 'counter-a', { by: 2 }],
    ]);
    await client.close();
  });

  it('saves a long list once that is sent twice at a time under one id', async () => {
    const log = createMemoryEventLog();
    const client = open(log);
    const commands = Array.from({ length: 1_200 }, (_, index) => command(Counter, `${index}`, 'count', { by: 1 }));
    const send = () => client.execute(commands, { commandId: 'seed' });
    const [first, second] = await Promise.all([send(), send()]);
    expect(first).toMatchObject({ status: 'saved', events: 1_200 });
    expect(second).toEqual(first);
    expect(await log.head()).toBe(1_200);
    await client.close();
  });

  it('cancels one call alone, and not another one of the same command id', async () => {
    for (const length of [3, 600]) {
      const commands = Array.from({ length }, (_, index) => command(Counter, `${index}`, 'count', { by: 1 }));
      const client = open();
      const [before, meanwhile] = [new AbortController(), new AbortController()];
      const first = client.execute(commands, { commandId: 'seed', signal: before.signal });
      before.abort();
      const second = client.execute(commands, { commandId: 'seed', signal: meanwhile.signal });
      const third = client.execute(commands, { commandId: 'seed' });
      meanwhile.abort();
      const failed = { status: 'failed', failure: { type: 'engine.cancelled' } };
      expect(await Promise.all([first, second, third])).toMatchObject([failed, failed, { status: 'saved' }]);
      await client.close();
    }
  });

  it('answers a long list that is cancelled, whenever that is', async () => {
    const commands = Array.from({ length: 600 }, (_, index) => command(Counter, `${index}`, 'count', { by: 1 }));
    const log = createMemoryEventLog();
    const client = open(log);
    await client.execute(Counter, 'a', 'count', { by: 1 });
    const answers = new Set<string>();
    // Until it is too late.
    for (let turns = 0; !answers.has('saved'); turns += 1 + (turns >> 3)) {
      const head = await log.head();
      const cancelling = new AbortController();
      const answer = client.execute(commands, { signal: cancelling.signal });
      for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      cancelling.abort();
      const receipt = await answer;
      answers.add(receipt.status === 'failed' ? receipt.failure.type : receipt.status);
      expect(await log.head()).toBe(receipt.status === 'saved' ? head + 600 : head);
    }
    expect([...answers]).toEqual(['engine.cancelled', 'saved']);
    await client.close();
  });

  it('takes no input where nothing has to be said', async () => {
    const client = open();
    expect(await client.execute(Counter, 'a', 'close')).toMatchObject({ status: 'saved', events: 1 });
    expect(await client.execute([command(Counter, 'b', 'close')])).toMatchObject({ status: 'saved', events: 1 });
    expect((await readAll(client)).map(({ data }) => data)).toEqual([{}, {}]);
    await client.close();
  });

  it('shows the row in every open mirror before it resolves', async () => {
    const client = open();
    const counts = client.mirror(Counts);
    await counts.ready;
    for (let by = 1; by <= 20; by += 1) {
      await client.execute(Counter, 'a', 'count', { by });
      expect(counts.rows.get('a')?.count).toBe((by * (by + 1)) / 2);
    }
    await client.close();
  });

  it('answers with the rejection of the domain and stores nothing', async () => {
    const client = open();
    await client.execute(Counter, 'a', 'count', { by: 5 });
    await client.execute(Counter, 'a', 'close', {});
    expect(await client.execute(Counter, 'a', 'count', { by: 1 }, { commandId: 'c3' })).toEqual({
      status: 'rejected',
      commandId: 'c3',
      command: 0,
      rejection: { kind: 'rejection', code: 'closed', details: { count: 5 } },
    });
    expect(await readAll(client)).toHaveLength(2);
    await client.close();
  });

  it('succeeds without an event where the decision is empty', async () => {
    const client = open();
    await client.execute(Counter, 'a', 'count', { by: 5 });
    expect(await client.execute(Counter, 'a', 'count', { by: 0 })).toMatchObject({
      status: 'saved',
      revision: 0,
      position: 1,
      events: 0,
    });
    await client.close();
  });

  it('changes nothing when a command id comes again, and gives the first receipt', async () => {
    const client = open();
    const first = await client.execute(Counter, 'a', 'count', { by: 1 }, { commandId: 'same' });
    await client.execute(Counter, 'a', 'count', { by: 1 });
    const [second, third] = await Promise.all([
      client.execute(Counter, 'a', 'count', { by: 1 }, { commandId: 'same' }),
      client.execute(Counter, 'a', 'count', { by: 1 }, { commandId: 'same' }),
    ]);
    expect(second).toEqual(first);
    expect(third).toEqual(first);
    const twins = await Promise.all([
      client.execute(Counter, 'a', 'count', { by: 1 }, { commandId: 'twin' }),
      client.execute(Counter, 'a', 'count', { by: 1 }, { commandId: 'twin' }),
    ]);
    expect(twins[0]).toEqual(twins[1]);
    expect(await readAll(client)).toHaveLength(3);
    await client.close();
  });

  it('refuses a stream that is not at the expected revision, and says where it is', async () => {
    const client = open();
    expect(await client.execute(Counter, 'a', 'count', { by: 1 }, { expectedRevision: 'no-stream' })).toMatchObject({
      status: 'saved',
    });
    await client.execute(Counter, 'a', 'count', { by: 1 }, { expectedRevision: 0 });
    expect(await client.execute(Counter, 'a', 'count', { by: 1 }, { expectedRevision: 0 })).toMatchObject({
      status: 'failed',
      failure: { type: 'stream.conflict', stream: 'counter-a', expected: 0, actual: 1 },
    });
    expect(await client.execute(Counter, 'b', 'count', { by: 1 }, { expectedRevision: 'stream-exists' })).toMatchObject(
      { failure: { type: 'stream.conflict', actual: -1 } },
    );
    await client.close();
  });

  it('saves several commands as one commit, each seeing those before it', async () => {
    const client = open();
    const receipt = await client.execute(
      [
        command(Counter, 'a', 'count', { by: 1 }),
        command(Counter, 'b', 'count', { by: 2 }),
        command(Counter, 'a', 'close', {}),
      ],
      { commandId: 'all' },
    );
    expect(receipt).toMatchObject({ status: 'saved', stream: 'counter-a', revision: 1, position: 3, events: 3 });
    expect((await readAll(client)).every(({ meta }) => meta.commandId === 'all')).toBe(true);
    await client.close();
  });

  it('saves none of several commands where one is rejected, and says which', async () => {
    const client = open();
    const counts = client.mirror(Counts);
    const receipt = await client.execute([
      command(Counter, 'a', 'count', { by: 1 }),
      command(Counter, 'a', 'close', {}),
      command(Counter, 'a', 'count', { by: 1 }),
    ]);
    expect(receipt).toMatchObject({ status: 'rejected', command: 2, rejection: { code: 'closed' } });
    expect(await readAll(client)).toEqual([]);
    await client.execute(Counter, 'a', 'count', { by: 4 });
    expect(counts.rows.get('a')).toEqual({ count: 4, closed: false });
    await client.close();
  });

  it('throws the bug of a command to its caller alone, and goes on', async () => {
    const client = open();
    const [crash, count] = await Promise.allSettled([
      client.execute(Counter, 'a', 'crash', { why: 'a bug in decide' }),
      client.execute(Counter, 'a', 'count', { by: 1 }),
    ]);
    expect(crash).toMatchObject({ status: 'rejected', reason: { message: 'a bug in decide' } });
    expect(count).toMatchObject({ status: 'fulfilled', value: { status: 'saved', revision: 0 } });
    await client.close();
  });

  it('refuses an event that JSON cannot carry, and leaves its neighbours alone', async () => {
    const client = open();
    const [bad, good] = await Promise.all([
      client.execute(Counter, 'a', 'count', { by: Number.NaN }),
      client.execute(Counter, 'a', 'count', { by: 1 }),
    ]);
    expect(bad).toMatchObject({ status: 'failed', failure: { type: 'storage.event-refused' } });
    expect(good).toMatchObject({ status: 'saved', revision: 0 });
    await client.close();
  });

  it('commits a long list of commands at once, and tells how far it is', async () => {
    const client = open();
    const commands = Array.from({ length: 3000 }, (_, index) => command(Counter, `${index % 7}`, 'count', { by: 1 }));
    const progress: number[] = [];
    const receipt = await client.execute(commands, {
      onProgress: ({ done, total }) => {
        expect(total).toBe(3000);
        progress.push(done);
      },
    });
    expect(receipt).toMatchObject({ status: 'saved', events: 3000, position: 3000 });
    expect(progress.at(-1)).toBe(3000);
    expect(progress.length).toBeGreaterThan(5);
    await client.close();
  });

  it('leaves nothing behind where a long list is cancelled', async () => {
    const client = open();
    const commands = Array.from({ length: 3000 }, () => command(Counter, 'a', 'count', { by: 1 }));
    const controller = new AbortController();
    const receipt = await client.execute(commands, {
      signal: controller.signal,
      onProgress: ({ done }) => done > 1000 && controller.abort(),
    });
    expect(receipt).toMatchObject({ status: 'failed', failure: { type: 'engine.cancelled' } });
    expect(await readAll(client)).toEqual([]);
    expect(await client.execute(Counter, 'a', 'count', { by: 1 })).toMatchObject({ position: 1 });
    await client.close();
  });

  it('saves each of a thousand commands at once, in the order they were sent', async () => {
    const client = open();
    const receipts = await Promise.all(
      Array.from({ length: 1000 }, () => client.execute(Counter, 'a', 'count', { by: 1 })),
    );
    expect(receipts.map((receipt) => receipt.status === 'saved' && receipt.revision)).toEqual(
      receipts.map((_, index) => index),
    );
    expect(client.status.getState()).toMatchObject({ saving: 0, saved: 1000 });
    await client.close();
  });
});

describe('a mirror', () => {
  it('holds the rows of the whole log, and only whole commits', async () => {
    const log = createMemoryEventLog();
    const first = open(log);
    for (let index = 0; index < 5; index += 1) await first.execute(Counter, `${index % 2}`, 'count', { by: 1 });
    const second = open(log);
    const counts = second.mirror(Counts);
    expect(counts.loaded).toBe(false);
    await counts.ready;
    expect([...counts.rows]).toEqual([
      ['0', { count: 3, closed: false }],
      ['1', { count: 2, closed: false }],
    ]);
    await Promise.all([first.close(), second.close()]);
  });

  it('follows what another tab appends', async () => {
    const log = createMemoryEventLog({ logId: crypto.randomUUID() });
    const [one, two] = [open(log), open(log)];
    const counts = two.mirror(Counts);
    await counts.ready;
    const receipt = await one.execute(Counter, 'a', 'count', { by: 3 });
    await counts.whenReached(receipt.status === 'saved' ? receipt.position : 0);
    expect(counts.rows.get('a')?.count).toBe(3);
    await Promise.all([one.close(), two.close()]);
  });

  it('is one of those that `whenReached` waits for, after a command that was made elsewhere', async () => {
    const log = createMemoryEventLog({ logId: crypto.randomUUID() });
    const [one, two] = [open(log), open(log)];
    const mirrors = [two.mirror(Counts), two.mirror(Total)];
    // Also those that have no rows yet.
    expect(mirrors.map(({ loaded }) => loaded)).toEqual([false, false]);
    let isReached = false;
    const reached = two.whenReached(3).then(() => {
      isReached = true;
    });
    await one.execute(Counter, 'a', 'countTwice', { by: 3 });
    await mirrors[0]?.whenReached(2);
    expect(isReached).toBe(false);
    await one.execute(Counter, 'a', 'count', { by: 3 });
    await reached;
    expect(mirrors.map(({ position }) => position)).toEqual([3, 3]);
    await Promise.all([one.close(), two.close()]);
  });

  it('keeps a copy as long as nothing changes', async () => {
    const client = open();
    const [counts, total] = [client.mirror(Counts), client.mirror(Total)];
    await Promise.all([counts.ready, total.ready]);
    await client.execute(Counter, 'a', 'count', { by: 1 });
    const before = total.copyRows();
    await client.execute(Counter, 'a', 'close', {});
    expect(total.copyRows()).toBe(before);
    await client.execute(Counter, 'b', 'count', { by: 1 });
    expect(total.copyRows()).not.toBe(before);
    expect(before.get('total')).toEqual({ total: 1 });
    await client.close();
  });

  it('leaves an event out where the projection throws, says so, and goes on', async () => {
    const client = open();
    const [counts, total] = [client.mirror(Counts), client.mirror(Total)];
    for (const by of [1, 13, 2]) await client.execute(Counter, 'a', 'count', { by });
    expect(total.rows.get('total')).toEqual({ total: 3 });
    expect(counts.rows.get('a')?.count).toBe(16);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(client.status.getState().projections).toMatchObject([
      { projection: 'total', lag: 0, quarantined: 1, errors: [{ position: 2, eventType: 'Counted' }] },
    ]);
    await client.close();
  });
});

describe('a log that can be written and not read', () => {
  it('leaves a saved command saved, and keeps nobody waiting for its row', async () => {
    const log = createMemoryEventLog({ logId: crypto.randomUUID() });
    let broken = false;
    const unreadable: EventLog = {
      ...log,
      read: async function* (query) {
        if (broken) throw new FailureError({ type: 'storage.failed', text: 'The disk cannot be read.' });
        yield* log.read(query);
      },
    };
    const [writer, client] = [open(log), open(unreadable)];
    const counts = client.mirror(Counts);
    await counts.ready;
    broken = true;
    await writer.execute(Counter, 'a', 'count', { by: 1 });
    expect(await client.execute(Counter, 'a', 'count', { by: 1 })).toMatchObject({ status: 'saved', position: 2 });
    broken = false;
    await client.execute(Counter, 'a', 'count', { by: 1 });
    expect(counts.rows.get('a')?.count).toBe(3);
    await Promise.all([writer.close(), client.close()]);
  });
});

describe('a log that cannot be opened', () => {
  it('fails those who wait for rows, and lets them wait again once the app has started over', async () => {
    const failure = { type: 'storage.unavailable', text: 'The database is blocked.' } as const;
    const log = createMemoryEventLog({ logId: crypto.randomUUID() });
    let blocked = true;
    const client = open({
      ...log,
      head: async () => {
        if (blocked) throw new FailureError(failure);
        return log.head();
      },
    });
    const counts = client.mirror(Counts);
    const waiting = client.whenReached(1);
    await expect(waiting).rejects.toMatchObject({ failure });
    await expect(counts.ready).rejects.toMatchObject({ failure });
    await expect(client.whenReached(1)).rejects.toMatchObject({ failure });
    expect(counts.error).toMatchObject({ failure });
    blocked = false;
    client.startOver();
    expect(counts.error).toBeUndefined();
    await counts.ready;
    await client.execute(Counter, 'a', 'count', { by: 1 });
    expect(counts.rows.get('a')?.count).toBe(1);
    await client.close();
  });
});

describe('subscribe', () => {
  it('gives what is stored and then what comes, of every tab, from a position on, until it is ended', async () => {
    const log = createMemoryEventLog({ logId: crypto.randomUUID() });
    const [writer, client] = [open(log), open(log)];
    for (const by of [1, 2, 3]) await writer.execute(Counter, 'a', 'count', { by });
    const stop = new AbortController();
    const seen: unknown[] = [];
    const following = (async () => {
      for await (const { position, data } of client.subscribe(
        { stream: 'counter-a' },
        { after: 1, signal: stop.signal },
      ))
        seen.push([position, data]);
    })();
    await expect.poll(() => seen.length).toBe(2);
    await writer.execute(Counter, 'b', 'count', { by: 4 });
    await client.execute(Counter, 'a', 'count', { by: 5 });
    await writer.execute(Counter, 'a', 'count', { by: 6 });
    await expect.poll(() => seen.length).toBe(4);
    stop.abort();
    await following;
    await writer.execute(Counter, 'a', 'count', { by: 7 });
    const positions = [2, 3, 5, 6];
    expect(seen).toEqual(positions.map((position) => [position, { by: position }]));
    await Promise.all([writer.close(), client.close()]);
  });
});

describe('a log that is damaged', () => {
  it('is said in the status, with the rows of what came before', async () => {
    const log = createMemoryEventLog({ logId: crypto.randomUUID() });
    const writer = open(log);
    await writer.execute(Counter, 'a', 'count', { by: 1 });
    await writer.close();
    const text = 'The events 2 to 9 cannot be read.';
    const damaged: EventLog = {
      ...log,
      read: async function* (query) {
        yield* log.read(query);
        throw new FailureError({ type: 'storage.damaged', text });
      },
    };
    const client = open(damaged);
    const counts = client.mirror(Counts);
    await counts.ready;
    expect(counts.rows.get('a')?.count).toBe(1);
    expect(client.status.getState()).toMatchObject({ phase: 'failed', failure: { type: 'storage.damaged', text } });
    // A read fails with the failure itself, not with a text of it.
    const reading = (async () => {
      for await (const _ of client.read());
    })();
    await expect(reading).rejects.toMatchObject({ failure: { type: 'storage.damaged', text } });
    await client.close();
  });

  it('is said in the status also where it is noticed while the log is opened', async () => {
    const log = createMemoryEventLog({ logId: crypto.randomUUID() });
    const writer = open(log);
    await writer.execute(Counter, 'a', 'count', { by: 1 });
    await writer.close();
    const text = 'The events 1 to 9 cannot be read.';
    const client = open({
      ...log,
      // biome-ignore lint/correctness/useYield: it has nothing to give
      read: async function* () {
        throw new FailureError({ type: 'storage.damaged', text });
      },
      head: async () => {
        await new Promise((resolve) => setTimeout(resolve, 10));
        return log.head();
      },
    });
    expect(await client.receipts.find('c1')).toBeUndefined();
    expect(client.status.getState()).toMatchObject({ phase: 'failed', failure: { type: 'storage.damaged', text } });
    await client.close();
  });
});

describe('read', () => {
  it('gives stored events by stream, type and position', async () => {
    const client = open();
    for (const id of ['a', 'b', 'a']) await client.execute(Counter, id, 'countTwice', { by: 1 });
    await client.execute(Counter, 'a', 'close', {});
    const positions = async (query: Parameters<Client['read']>[0]) => {
      const found: number[] = [];
      for await (const event of client.read(query)) found.push(event.position);
      return found;
    };
    expect(await positions({ stream: 'counter-a' })).toEqual([1, 2, 5, 6, 7]);
    expect(await positions({ stream: 'counter-a', backwards: true, limit: 2 })).toEqual([7, 6]);
    expect(await positions({ types: ['Closed'] })).toEqual([7]);
    expect(await positions({ from: 3, to: 5 })).toEqual([3, 4, 5]);
    await client.close();
  });
});
