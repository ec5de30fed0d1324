import { describe, expect, it, vi } from 'vitest';
import { command, type RowQuery } from '../core/index.ts';
import type { EventLog } from '../log/event-log.ts';
import { createMemoryEventLog } from '../log/memory-event-log.ts';
import { Counter } from '../testing/fixtures/counter-app.ts';
import { Ranking, rankingApp } from '../testing/fixtures/ranking-app.ts';
import { createInProcessWorker } from '../testing/in-process-worker.ts';
import { type Client, createClient } from './client.ts';
import type { WorkerLike } from './connection.ts';
import type { LiveQuery } from './live-query.ts';

type CountRow = { readonly count: number; readonly closed: boolean };

/** A client, its workers, and the names of the calls that they got. */
function open(log: EventLog = createMemoryEventLog()) {
  const workers: WorkerLike[] = [];
  const calls: string[] = [];
  const client = createClient(
    rankingApp,
    () => {
      const worker = createInProcessWorker({ app: rankingApp, log });
      workers.push(worker);
      return {
        ...worker,
        postMessage: (message: { readonly path?: readonly string[] }, transfer) => {
          calls.push(message.path?.[0] ?? '');
          worker.postMessage(message, transfer);
        },
      };
    },
    { patienceMs: 30 },
  );
  const count = (id: string, by: number) => client.execute(Counter, id, 'count', { by });
  return { client, workers, calls, count };
}

async function fill(client: Client, counts: Readonly<Record<string, number>>): Promise<void> {
  await client.execute(Object.entries(counts).map(([id, by]) => command(Counter, id, 'count', { by })));
}

const textOf = ({ rows }: { readonly rows: LiveQuery<CountRow>['rows'] }) =>
  rows.map(({ key, row }) => `${key}=${row.count}`).join(' ');

const top = (limit: number): RowQuery<typeof Ranking> => ({ orderBy: ['count', 'desc'], limit });

describe('a live query', () => {
  it('answers with the rows that it chooses, in order, and follows the log', async () => {
    const { client, count } = open();
    await fill(client, { a: 1, b: 5, c: 3, d: 4 });
    const best = client.query(Ranking, {
      where: { count: { above: 1 } },
      orderBy: ['count', 'desc'],
      limit: 2,
      total: true,
    });
    expect(best.rows).toEqual([]);
    await best.ready;
    expect(textOf(best)).toBe('b=5 d=4');
    expect(best.answer.total).toBe(3);
    await count('a', 9);
    expect(textOf(best)).toBe('a=10 b=5');
    await count('a', 99);
    expect(textOf(best)).toBe('b=5 d=4');
    await client.close();
  });

  it('orders by key and answers with 50 rows where nothing else is said', async () => {
    const { client } = open();
    await fill(client, Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`k${index + 10}`, index + 1])));
    const all = client.query(Ranking);
    await all.ready;
    expect(all.rows.map(({ key }) => key)).toEqual(Array.from({ length: 50 }, (_, index) => `k${index + 10}`));
    await client.close();
  });

  it('shows a command’s rows in every open window before execute resolves', async () => {
    const { client, count } = open();
    const [best, all] = [client.query(Ranking, top(1)), client.query(Ranking)];
    await Promise.all([best.ready, all.ready]);
    for (let by = 1; by <= 20; by += 1) {
      await count('a', by);
      expect([textOf(best), textOf(all)]).toEqual(Array(2).fill(`a=${(by * (by + 1)) / 2}`));
    }
    await client.close();
  });

  it('keeps each row that did not change, and the whole answer where nothing in the window did', async () => {
    const { client, count } = open();
    await fill(client, { a: 10, b: 20, c: 30, d: 1 });
    const best = client.query(Ranking, top(3));
    await best.ready;
    const before = best.answer;
    let calls = 0;
    best.subscribe(() => {
      calls += 1;
    });
    await count('d', 2);
    expect(best.answer).toBe(before);
    expect(calls).toBe(0);
    await count('a', 15);
    expect(textOf(best)).toBe('c=30 a=25 b=20');
    expect(best.rows[0]).toBe(before.rows[0]);
    expect(best.rows[2]).toBe(before.rows[1]);
    expect(calls).toBe(1);
    expect([best.answer, best.rows, ...best.rows, best.rows[0]?.row].every(Object.isFrozen)).toBe(true);
    await client.close();
  });

  it('pages by places in the order: what is inserted before a page does not move it', async () => {
    const { client, count } = open();
    await fill(client, { a: 6, b: 5, c: 4, d: 3, e: 2 });
    const first = client.query(Ranking, top(2));
    await first.ready;
    const second = client.query(Ranking, { ...top(2), after: first.answer.next });
    await second.ready;
    expect([textOf(first), textOf(second)]).toEqual(['a=6 b=5', 'c=4 d=3']);
    await count('f', 7);
    await count('b', 99);
    expect([textOf(first), textOf(second)]).toEqual(['f=7 a=6', 'c=4 d=3']);
    const third = client.query(Ranking, { ...top(2), after: structuredClone(second.answer.next) });
    await third.ready;
    expect(textOf(third)).toBe('e=2');
    expect(third.answer.next).toBeUndefined();
    await client.close();
  });

  it('says which indexes there are where it orders by none of them', async () => {
    const { client } = open();
    const wrong = client.query(Ranking, { orderBy: 'closed' } as never);
    await expect(wrong.ready).rejects.toThrow(
      /projection "ranking" orders by \[closed\], which is no index of it. Declared are: \[count\], \[closed, count\]/,
    );
    await client.close();
  });

  it.each([
    [{ limit: 0 }, /has the limit 0/],
    [{ where: { count: { about: 3 } } }, /asks for "about" of the field "count"/],
    [{ where: { count: Number.NaN } }, /compares the field "count" with NaN/],
    [{ orderBy: 'count', after: { order: ['asc'], values: [], key: 'a' } }, /after a place in the order \[asc\]/],
  ])('refuses %j', async (query, text) => {
    const { client } = open();
    await expect(client.query(Ranking, query as never).ready).rejects.toThrow(text);
    await client.close();
  });

  it('follows what another tab stores', async () => {
    const log = createMemoryEventLog();
    const [one, two] = [open(log), open(log)];
    const best = two.client.query(Ranking, top(1));
    await best.ready;
    await one.count('a', 3);
    await vi.waitFor(() => expect(textOf(best)).toBe('a=3'));
    await one.count('b', 4);
    await vi.waitFor(() => expect(textOf(best)).toBe('b=4'));
    await Promise.all([one.client.close(), two.client.close()]);
  });

  it('is opened again by a new worker after the old one died, and is the same where nothing changed', async () => {
    const log = createMemoryEventLog();
    const { client, workers, calls, count } = open(log);
    await fill(client, { a: 1, b: 2 });
    const [best, all] = [client.query(Ranking, top(1)), client.query(Ranking)];
    await Promise.all([best.ready, all.ready]);
    const before = best.answer;
    workers[0]?.terminate();
    await count('a', 0);
    expect(workers).toHaveLength(2);
    expect(calls.filter((name) => name === 'openQuery')).toHaveLength(4);
    await count('c', 1);
    expect(best.answer).toBe(before);
    expect(textOf(all)).toBe('a=1 b=2 c=1');
    await count('c', 10);
    expect(textOf(best)).toBe('c=11');
    await client.close();
  });

  it('is right after a rebuild', async () => {
    const { client, count } = open();
    await fill(client, { a: 1, b: 2 });
    const best = client.query(Ranking, top(1));
    await best.ready;
    await client.rebuild();
    expect(textOf(best)).toBe('b=2');
    await count('a', 7);
    expect(textOf(best)).toBe('a=8');
    await client.close();
  });

  it('reads a log that was there before, also where commands come while it does', async () => {
    const log = createMemoryEventLog();
    const first = open(log);
    await fill(first.client, Object.fromEntries(Array.from({ length: 3_000 }, (_, index) => [`k${index}`, index + 1])));
    await first.client.close();
    const { client, count } = open(log);
    const best = client.query(Ranking, top(2));
    await Promise.all(Array.from({ length: 5 }, (_, index) => count(`k${index}`, 10_000)));
    await best.ready;
    await count('k1', 50_000);
    expect(textOf(best)).toBe('k1=60002 k4=10005');
    await client.close();
  });
});

describe('the window of a query', () => {
  it('is one for all who ask the same, and is closed a moment after the last has closed it', async () => {
    const { client, calls, count } = open();
    await fill(client, { a: 1 });
    const [one, two] = [client.query(Ranking, top(1)), client.query(Ranking, top(1))];
    await Promise.all([one.ready, two.ready]);
    expect(one.answer).toBe(two.answer);
    expect(calls.filter((name) => name === 'openQuery')).toHaveLength(1);
    one.close();
    one.close();
    await count('a', 1);
    expect(textOf(two)).toBe('a=2');
    two.close();
    // There and back within the moment: nothing is opened anew.
    const three = client.query(Ranking, top(1));
    expect(textOf(three)).toBe('a=2');
    three.close();
    await vi.waitFor(() => expect(calls).toContain('closeQuery'), 3_000);
    await count('a', 1);
    expect(textOf(three)).toBe('a=2');
    expect(calls.filter((name) => name === 'openQuery')).toHaveLength(1);
    await client.close();
  });

  it('that is closed holds no command up', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { client, count } = open();
    const best = client.query(Ranking, top(1));
    await best.ready;
    best.close();
    const saving = count('a', 1);
    vi.advanceTimersByTime(1_500);
    expect(await saving).toMatchObject({ status: 'saved' });
    vi.useRealTimers();
    await client.close();
  });

  it('that is closed is not waited for by who waits for a position', async () => {
    const { client } = open();
    const best = client.query(Ranking, top(1));
    await best.ready;
    const reached = client.whenReached(1);
    best.close();
    // Another window, which is still open, comes there.
    const rest = client.query(Ranking, top(2));
    await rest.ready;
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    await client.execute(Counter, 'a', 'count', { by: 1 });
    await reached;
    expect(textOf(rest)).toBe('a=1');
    await client.close();
  });
});
