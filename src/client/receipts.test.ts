import { describe, expect, it } from 'vitest';
import { FailureError } from '../core/errors.ts';
import { command } from '../core/index.ts';
import type { CommandState, Receipt } from '../core/receipt.ts';
import type { EventLog } from '../log/event-log.ts';
import { createMemoryEventLog } from '../log/memory-event-log.ts';
import { Counter, Counts, counterApp } from '../testing/fixtures/counter-app.ts';
import { createInProcessWorker } from '../testing/in-process-worker.ts';
import { type Client, createClient } from './client.ts';
import { createReceipts } from './receipts.ts';

function open(log: EventLog = createMemoryEventLog({ logId: crypto.randomUUID() })): Client {
  return createClient(counterApp, () => createInProcessWorker({ app: counterApp, log }));
}

describe('the receipts', () => {
  it('know a command that is on its way, and then its receipt', async () => {
    const client = open();
    const seen: unknown[] = [];
    client.receipts.subscribe('c1', () => seen.push(client.receipts.get('c1')?.status));
    expect(client.receipts.get('c1')).toBeUndefined();
    const executing = client.execute(Counter, 'a', 'count', { by: 1 }, { commandId: 'c1' });
    expect(client.receipts.get('c1')).toEqual({ status: 'sending', commandId: 'c1' });
    const receipt = await executing;
    expect(client.receipts.get('c1')).toBe(receipt);
    expect(seen).toEqual(['sending', 'saved']);
    await client.close();
  });

  it('know what was rejected, what failed, and what was cancelled before it was sent', async () => {
    const client = open();
    const execute = (commandId: string, by: number, signal = new AbortController().signal) =>
      client.execute(Counter, 'a', 'count', { by }, { commandId, signal });
    await execute('failed', Number.NaN);
    await execute('cancelled', 1, AbortSignal.abort());
    await client.execute(Counter, 'a', 'close', {});
    await execute('rejected', 1);
    expect(['failed', 'cancelled', 'rejected'].map((id) => client.receipts.get(id))).toMatchObject([
      { status: 'failed', failure: { type: 'storage.event-refused' } },
      { status: 'failed', failure: { type: 'engine.cancelled' } },
      { status: 'rejected', rejection: { code: 'closed' } },
    ]);
    await client.close();
  });

  it('know nothing of a command whose own code threw', async () => {
    const client = open();
    await expect(client.execute(Counter, 'a', 'crash', { why: 'a bug' }, { commandId: 'c1' })).rejects.toThrow();
    expect(client.receipts.get('c1')).toBeUndefined();
    await client.close();
  });

  it('say that a command is on its way as long as one of its calls is', async () => {
    const client = open();
    const send = () => client.execute(Counter, 'a', 'count', { by: 1 }, { commandId: 'c1' });
    const [first, second] = [send(), send()];
    const receipt = await first;
    expect(client.receipts.get('c1')?.status).toBe('sending');
    await second;
    expect(client.receipts.get('c1')).toEqual(receipt);
    await client.close();
  });

  it('find a command of an earlier visit in the log, with the receipt it had', async () => {
    const log = createMemoryEventLog({ logId: crypto.randomUUID() });
    const earlier = open(log);
    await earlier.execute(Counter, 'a', 'count', { by: 1 });
    const one = await earlier.execute(Counter, 'a', 'countTwice', { by: 1 }, { commandId: 'one' });
    const several = await earlier.execute(
      [command(Counter, 'b', 'countTwice', { by: 1 }), command(Counter, 'a', 'count', { by: 1 })],
      { commandId: 'several' },
    );
    await earlier.close();
    const client = open(log);
    const counts = client.mirror(Counts);
    await counts.ready;
    expect(client.receipts.get('one')).toBeUndefined();
    expect(await client.receipts.find('one')).toEqual(one);
    expect(await client.receipts.find('several')).toEqual(several);
    expect(client.receipts.get('one')).toEqual(one);
    expect(await client.receipts.find('never')).toBeUndefined();
    await client.close();
  });

  it('find a command of another tab, and give its receipt when the rows are there', async () => {
    const log = createMemoryEventLog({ logId: crypto.randomUUID() });
    const [writer, client] = [
      open({ ...log, onGrowth: () => () => undefined }),
      open({ ...log, onGrowth: () => () => undefined }),
    ];
    const counts = client.mirror(Counts);
    await counts.ready;
    await writer.execute(Counter, 'a', 'count', { by: 4 }, { commandId: 'c1' });
    expect(counts.rows.size).toBe(0);
    expect(await client.receipts.find('c1')).toMatchObject({ status: 'saved', position: 1 });
    expect(counts.rows.get('a')?.count).toBe(4);
    await Promise.all([writer.close(), client.close()]);
  });

  it('throw where the log cannot be asked, and ask again the next time', async () => {
    const log = createMemoryEventLog({ logId: crypto.randomUUID() });
    const failure = { type: 'storage.failed', text: 'The disk cannot be read.' } as const;
    let isBroken = true;
    const client = open({
      ...log,
      write: async (work, options) => {
        if (isBroken) throw new FailureError(failure);
        return log.write(work, options);
      },
    });
    await expect(client.receipts.find('c1')).rejects.toMatchObject({ failure });
    isBroken = false;
    expect(await client.receipts.find('c1')).toBeUndefined();
    await client.close();
  });

  it('ask the log once for who asks at the same time, and not for what this page knows', async () => {
    const log = createMemoryEventLog({ logId: crypto.randomUUID() });
    let writes = 0;
    const client = open({
      ...log,
      write: (work, options) => {
        writes += 1;
        return log.write(work, options);
      },
    });
    await Promise.all(Array.from({ length: 5 }, () => client.receipts.find('c1')));
    expect(writes).toBe(1);
    await client.execute(Counter, 'a', 'count', { by: 1 }, { commandId: 'c1' });
    expect(await client.receipts.find('c1')).toMatchObject({ status: 'saved' });
    expect(writes).toBe(2);
    await client.close();
  });

  it('keep the newest thousand, and of the older ones those that are followed', async () => {
    const client = open();
    const execute = (commandId: string) => client.execute(Counter, 'a', 'count', { by: 0 }, { commandId });
    await execute('followed');
    await execute('oldest');
    client.receipts.subscribe('followed', () => undefined);
    await Promise.all(Array.from({ length: 1000 }, (_, index) => execute(`c${index}`)));
    const isKept = (id: string) => client.receipts.get(id) !== undefined;
    expect([isKept('followed'), isKept('oldest'), isKept('c0'), isKept('c1'), isKept('c999')]).toEqual([
      true,
      false,
      false,
      true,
      true,
    ]);
    await client.close();
  });
});

const settle = () => new Promise((resolve) => setTimeout(resolve));

describe('a receipt that was looked up', () => {
  const saved = { status: 'saved', commandId: 'x', stream: 's', revision: 0, position: 1, events: 1 } as const;
  const confirmed = { ...saved, status: 'confirmed' } as const;

  it('is looked up again where it moved on meanwhile', async () => {
    let state: CommandState = saved;
    const answers: (() => void)[] = [];
    const { receipts, follow, refresh } = createReceipts(() => {
      const now = state;
      return new Promise((resolve) => answers.push(() => resolve(now)));
    });
    await follow('x', Promise.resolve(saved));
    receipts.subscribe('x', () => undefined);
    refresh();
    // After the worker has answered, and before its answer is here.
    state = confirmed;
    refresh();
    await expect
      .poll(() => {
        for (const answer of answers.splice(0)) answer();
        return receipts.get('x')?.status;
      })
      .toBe('confirmed');
  });

  it('is given as it was when it was asked for, however often things move on meanwhile', async () => {
    let lookups = 0;
    const { receipts, follow, refresh } = createReceipts(async () => {
      lookups += 1;
      // A page of a long pull, each time.
      if (lookups < 50) refresh();
      return saved;
    });
    await follow('x', Promise.resolve(saved));
    refresh();
    expect(await receipts.find('x')).toEqual(saved);
    expect(lookups).toBe(1);
  });

  it('is looked up five times a second at most, however often things move on', async () => {
    let state: CommandState = saved;
    let lookups = 0;
    const { receipts, follow, refresh } = createReceipts(async () => {
      lookups += 1;
      return state;
    });
    await follow('x', Promise.resolve(saved));
    receipts.subscribe('x', () => undefined);
    const endAt = performance.now() + 450;
    while (performance.now() < endAt) {
      refresh();
      await settle();
    }
    state = confirmed;
    refresh();
    await expect.poll(() => receipts.get('x')).toEqual(confirmed);
    expect(lookups).toBeLessThan(6);
  });

  it('is not that of a look-up that began before it moved on', async () => {
    let state: CommandState = saved;
    const answers: (() => void)[] = [];
    const { receipts, refresh } = createReceipts(() => {
      const now = state;
      return new Promise((resolve) => answers.push(() => resolve(now)));
    });
    const first = receipts.find('x');
    state = confirmed;
    refresh();
    const second = receipts.find('x');
    answers.shift()?.();
    expect(await first).toEqual(saved);
    await expect.poll(() => answers.length).toBe(1);
    answers.shift()?.();
    expect(await second).toEqual(confirmed);
  });

  it('may be confirmed no more: a server can be put back', async () => {
    let state: CommandState = confirmed;
    const { receipts, refresh } = createReceipts(async () => state);
    await receipts.find('x');
    state = saved;
    refresh();
    expect((await receipts.find('x'))?.status).toBe('saved');
  });

  it('is asked for again after the log could not be read', async () => {
    let isBroken = true;
    const { receipts, follow, refresh } = createReceipts(async () => {
      if (isBroken) throw new FailureError({ type: 'storage.failed', text: 'The disk cannot be read.' });
      return confirmed;
    });
    await follow('x', Promise.resolve(saved));
    refresh();
    await expect(receipts.find('x')).rejects.toThrow('The disk');
    isBroken = false;
    expect(await receipts.find('x')).toEqual(confirmed);
  });

  it('is looked up again a second after that failed, where it is on the screen', async () => {
    let failures = 1;
    const { receipts, follow, refresh } = createReceipts(async () => {
      failures -= 1;
      if (failures >= 0) throw new FailureError({ type: 'storage.failed', text: 'The disk cannot be read.' });
      return confirmed;
    });
    await follow('x', Promise.resolve(saved));
    receipts.subscribe('x', () => undefined);
    refresh();
    await expect.poll(() => receipts.get('x'), { timeout: 3_000 }).toEqual(confirmed);
  });

  it('is on the screen again when it is in the log again', async () => {
    let state: CommandState | undefined = confirmed;
    const { receipts, refresh } = createReceipts(async () => state);
    receipts.subscribe('x', () => undefined);
    await receipts.find('x');
    // A restored server has lost it, and gets it back.
    for (const next of [undefined, confirmed]) {
      state = next;
      refresh();
      await expect.poll(() => receipts.get('x')).toEqual(next);
    }
  });

  it('is known no more where it was withdrawn and dropped before it was looked up', async () => {
    const { receipts, follow, refresh } = createReceipts(async () => undefined);
    await follow('x', Promise.resolve(saved));
    await follow('empty', Promise.resolve({ ...saved, commandId: 'empty', events: 0 }));
    const told: unknown[] = [];
    receipts.subscribe('x', () => told.push(receipts.get('x')));
    refresh();
    expect(await receipts.find('x')).toBeUndefined();
    expect(told).toEqual([undefined]);
    // A command that had nothing to do is in no log.
    expect((await receipts.find('empty'))?.status).toBe('saved');
  });
});

describe('a receipt of a command that is sent again', () => {
  const saved = { status: 'saved', commandId: 'x', stream: 's', revision: 0, position: 1, events: 1 } as const;
  const confirmed = { ...saved, status: 'confirmed' } as const;
  const refused = { status: 'refused', commandId: 'x', reason: { code: 'NO', text: 'No.' }, refusedAt: 0 } as const;
  const failed = (type: 'engine.cancelled' | 'engine.stopped') =>
    ({ status: 'failed', commandId: 'x', failure: { type, text: 'It failed.' } }) as const;

  it.each([
    ['is confirmed all the same', confirmed, saved],
    ['is saved all the same where that fails', saved, failed('engine.cancelled')],
  ] as const)('%s, and the log is asked', async (_, known, answer) => {
    let inLog: CommandState = known;
    const { receipts, follow } = createReceipts(async () => inLog);
    await receipts.find('x');
    expect(await follow('x', Promise.resolve(answer))).toEqual(answer);
    expect(receipts.get('x')).toEqual(known);
    inLog = { ...saved, status: 'pushed' };
    expect(await receipts.find('x')).toEqual(inLog);
  });

  it.each([
    ['refused', refused, saved],
    ['known to have had nothing to do', { ...saved, events: 0 }, saved],
    ['known to have failed', failed('engine.cancelled'), saved],
    ['confirmed, and is lost', confirmed, { status: 'rejected', commandId: 'x', command: 0 }],
  ] as const)('is the newer one where it was %s', async (_, known, answer) => {
    const { receipts, follow } = createReceipts(async () => known);
    await receipts.find('x');
    await follow('x', Promise.resolve(answer as Receipt));
    expect(receipts.get('x')).toEqual(answer);
  });

  it('that failed is looked up: nobody knows whether it was saved, or was before', async () => {
    let inLog: CommandState | undefined;
    const { receipts, follow } = createReceipts(async () => inLog);
    const answer = failed('engine.stopped');
    await follow('x', Promise.resolve(answer));
    expect(await receipts.find('x')).toEqual(answer);
    await follow('x', Promise.resolve(answer));
    inLog = saved;
    expect(await receipts.find('x')).toEqual(saved);
  });
});

describe('a receipt that comes after what it says has moved on', () => {
  it('is looked up', async () => {
    const saved = { status: 'saved', commandId: 'x', stream: 's', revision: 0, position: 1, events: 1 } as const;
    const { receipts, follow, refresh } = createReceipts(async () => ({ ...saved, status: 'confirmed' }) as const);
    receipts.subscribe('x', () => undefined);
    const answer = follow(
      'x',
      settle().then(() => saved),
    );
    refresh();
    expect(await answer).toEqual(saved);
    await expect.poll(() => receipts.get('x')?.status).toBe('confirmed');
  });
});
