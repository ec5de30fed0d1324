import { describe, expect, it } from 'vitest';
import { dumpStore, restoreStore } from './dump-store.ts';
import { counted, createAuthor } from './fixtures/author.ts';
import { createTestServer, start } from './fixtures/test-server.ts';
import { createMemorySyncStore } from './memory-sync-store.ts';
import type { SyncStore } from './sync-store.ts';

async function fill() {
  const store = createMemorySyncStore();
  const server = createTestServer(store);
  await server.hello();
  await server.hello({ log: 'log-2' });
  const ada = createAuthor('log-1', 'a');
  await server.push(Array.from({ length: 20 }, (_, index) => ada.commit([`a-${index % 3}`, 'shared'])));
  await server.push([createAuthor('log-1', 'b').commit(['shared'])], { client: 'a', mode: 'recover' });
  return { store, server, ada };
}

async function dump(store: SyncStore): Promise<string> {
  let text = '';
  for await (const line of dumpStore(store)) text += line;
  return text;
}

async function restore(text: string, store: SyncStore = createMemorySyncStore()) {
  const lines = () =>
    (async function* () {
      yield* text.split('\n');
    })();
  return { store, summary: await restoreStore(lines, store) };
}

describe('a dump', () => {
  it('is restored to the same logs, under another epoch', async () => {
    const { store, ada } = await fill();
    const text = await dump(store);
    const { store: second, summary } = await restore(text);
    expect(summary).toEqual({ logs: 2, commits: 21, events: 41 });
    expect(await dump(second)).toBe(text);
    expect(second.epoch).not.toBe(store.epoch);
    const server = createTestServer(second);
    const guard = { revisions: [{ stream: 'shared', revision: 20 }] };
    expect(await server.results([ada.commit(['shared'], { guard })])).toEqual([{ type: 'accepted', g: 42 }]);
  });

  it('sends clients that know more back to what is common, and takes what they have', async () => {
    const { store, server, ada } = await fill();
    const old = await dump(store);
    const before = (await server.pull()).head;
    const later = [ada.commit(['a-1']), ada.commit(['a-1'])];
    const { head } = await server.push(later);
    const { store: second } = await restore(old);
    const restored = createTestServer(second);
    const base = { epoch: store.epoch, ...head };
    const message = { log: 'log-1', base, limit: 9, maxBytes: 99 };
    expect(await restored.fail('pull', message)).toMatchObject({
      status: 409,
      error: 'DIVERGED',
      head: before,
      epoch: second.epoch,
    });
    expect(await restored.common([head, before, { g: 0, oh: start.oh }])).toEqual({ g: before.g });
    const result = await restored.results(later, { base: { epoch: second.epoch, ...before } });
    expect(result.map(({ type }) => type)).toEqual(['accepted', 'accepted']);
    expect((await restored.pull()).head).toEqual(head);
  });

  it('is refused with the line that is wrong, and nothing is written', async () => {
    const { store } = await fill();
    const text = await dump(store);
    const lines = text.split('\n');
    const broken = {
      'line 9 oh does not match its link': text.replace('"clientSeq":7,', '"clientSeq":8,'),
      'its end is missing': lines.slice(0, -2).join('\n'),
      'line 5 oh does not match its link': [...lines.slice(0, 4), ...lines.slice(5)].join('\n'),
      'line 23 comes before the head of its log': [...lines.slice(0, 22), ...lines.slice(23)].join('\n'),
      'line 1 is not the header of a dump that is known here': text.replace('"format":1', '"format":2'),
      'line 3 is not JSON': [...lines.slice(0, 2), lines[2]?.slice(0, -9), ...lines.slice(3)].join('\n'),
      'line 26 comes after the end': `${text}{}`,
      'line 2 app is not a text of 1 to 256 characters': text.replace('"app":"bank"', '"app":"b\\u0000"'),
      'line 3 actor is not a text of 1 to 1024 characters': text.replace('"actor":"ada"', '"actor":"a\\u0000"'),
    };
    for (const [problem, damaged] of Object.entries(broken)) {
      const target = createMemorySyncStore();
      await expect(restore(damaged, target), problem).rejects.toThrow(problem);
      expect(await target.listLogs()).toEqual([]);
    }
  });

  it('is not restored over commits that are there', async () => {
    const { store } = await fill();
    await expect(restore(await dump(store), store)).rejects.toThrow('has commits already');
  });

  it('is stored in pieces that a database takes in one statement', async () => {
    const source = createMemorySyncStore();
    const mebibyte = 1_048_576;
    const server = createTestServer(source, { limits: { eventBytes: mebibyte / 4, bodyBytes: 16 * mebibyte } });
    await server.hello();
    const ada = createAuthor('log-1', 'a');
    const large = counted('a-1', { data: 'x'.repeat(mebibyte / 5) });
    await server.push(Array.from({ length: 6 }, () => ada.commit(Array<typeof large>(4).fill(large))));
    const target = createMemorySyncStore();
    const sizes: number[] = [];
    const { summary } = await restore(await dump(source), {
      ...target,
      write: (logId, work) =>
        target.write(logId, (transaction) =>
          work({
            ...transaction,
            append: async (commits) => {
              sizes.push(commits.reduce((sum, { text }) => sum + text.length, 0));
              return transaction.append(commits);
            },
          }),
        ),
    });
    expect(summary.commits).toBe(6);
    expect(sizes).toHaveLength(2);
    expect(Math.max(...sizes)).toBeLessThan(4 * mebibyte);
  });

  it('can be restored again where the first attempt stored nothing', async () => {
    const text = await dump((await fill()).store);
    const target = createMemorySyncStore();
    const failing: SyncStore = { ...target, write: () => Promise.reject(new Error('the database is full')) };
    await expect(restore(text, failing)).rejects.toThrow('the database is full');
    await restore(text, target);
    expect(await dump(target)).toBe(text);
  });

  it('is not restored into a log of another app, also where that is empty', async () => {
    const target = createMemorySyncStore();
    await target.createLog('log-2', 'other');
    await expect(restore(await dump((await fill()).store), target)).rejects.toThrow(
      'line 24 app is another one than that of the log on the server',
    );
    expect(await target.listLogs()).toMatchObject([{ logId: 'log-2' }]);
  });
});
