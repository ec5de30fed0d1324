import 'fake-indexeddb/auto';
import { readFileSync } from 'node:fs';
import { expose } from 'comlink';
import { describe, expect, it } from 'vitest';
import { createClient } from '../client/client.ts';
import type { WorkerLike } from '../client/connection.ts';
import { laterAccounts, laterLedger } from '../demo/ledger/history/later-ledger.ts';
import { Account } from '../demo/ledger/ledger.ts';
import { type DexieEventLog, openDexieEventLog } from '../log/dexie-event-log.ts';
import type { Staging } from '../log/import-log.ts';
import { throwPlainFailures } from '../protocol/plain-failures.ts';
import type { Sync } from '../protocol/sync-host.ts';
import { createMemorySyncStore } from '../server/memory-sync-store.ts';
import { allowAll, authenticateTokens } from '../server/policy.ts';
import { createSyncHandler } from '../server/sync-handler.ts';
import { httpSync } from '../sync/http-sync.ts';
import { createTestEnv } from '../testing/in-process-worker.ts';
import { createEngine, type EngineOptions } from './engine.ts';

const stored = readFileSync(new URL('../demo/ledger/history/ledger-of-2024.ndjson', import.meta.url), 'utf8');

/** The engine in this process on IndexedDB, where a log can be imported. */
function createDurableWorker(
  name: string,
  sync?: Sync,
  onStaged: (staging: Staging) => Promise<Staging> = async (staging) => staging,
): WorkerLike {
  const { port1, port2 } = new MessageChannel();
  const env = createTestEnv();
  const openLog: EngineOptions['openLog'] = async (_hint, _onClosed, logId) => {
    const log = await openDexieEventLog({ name, env, logId });
    const stage: DexieEventLog['stage'] = async (given) => onStaged(await log.stage(given));
    // Everything else as it is, also what it computes when it is asked.
    return Object.create(log, { stage: { value: stage } });
  };
  const engine = createEngine({ app: laterLedger, env, openLog, durable: true, ...(sync && { sync }) });
  expose(throwPlainFailures(engine), port1);
  return {
    addEventListener: (type, listener) => port2.addEventListener(type, listener as EventListener),
    removeEventListener: (type, listener) => port2.removeEventListener(type, listener as EventListener),
    postMessage: (message, transfer) => port2.postMessage(message, transfer ?? []),
    start: () => port2.start(),
    terminate: () => {
      engine.close();
      port1.close();
      port2.close();
    },
  };
}

describe('a log that older definitions wrote', () => {
  it('is imported, read in the form of today, and exported to the byte as it was', async () => {
    const client = createClient(laterLedger, () => createDurableWorker('import-history'), { askToPersist: false });
    const { ready, rows } = client.mirror(laterAccounts);
    await ready;
    expect(rows.size).toBe(0);
    expect(await client.import(new Blob([stored]))).toMatchObject({ status: 'imported', commits: 8, events: 9 });
    expect([...rows.values()].map(({ owner, balance }) => [owner, balance])).toEqual([
      ['Ada', 74_940],
      ['Ben', 23_051],
    ]);
    expect(client.status.getState().projections).toEqual([]);
    expect(await client.verify()).toEqual({ status: 'verified', events: 9 });
    expect(await new Response(client.export()).text()).toBe(stored);
    await client.close();
  });
});

describe('a log that was imported', () => {
  it('is sent whole to a server that has nothing of it', async () => {
    const store = createMemorySyncStore();
    const authenticate = authenticateTokens({ t: { id: 'ada' } });
    const handler = createSyncHandler({ store, authenticate, authorise: allowAll });
    const sync = httpSync({
      url: 'http://server',
      token: () => 't',
      fetch: (input, init) => handler(new Request(String(input), init)),
    });
    const client = createClient(laterLedger, () => createDurableWorker('import-sync', sync), { askToPersist: false });
    expect(await client.import(new Blob([stored]))).toMatchObject({ status: 'imported', commits: 8, events: 9 });
    await expect
      .poll(() => client.status.getState().sync)
      .toMatchObject({ phase: 'synced', pending: 0, confirmed: 9, refused: 0 });
    expect((await store.findLog(client.status.getState().logId ?? ''))?.head.g).toBe(9);
    expect(await new Response(client.export()).text()).toBe(stored);
    await client.close();
  });

  it('is imported once, also where sync finds the old one gone before the page has its answer', async () => {
    const sync: Sync = {
      start: ({ readState }) => {
        let isStopped = false;
        const lookAgain = () => {
          if (!isStopped) readState().then(lookAgain, lookAgain);
        };
        lookAgain();
        return {
          wake: () => undefined,
          stop: async () => {
            isStopped = true;
          },
        };
      },
    };
    for (const name of ['one', 'two', 'three', 'four', 'five']) {
      const open = () => createDurableWorker(`import-noticed-${name}`, sync);
      const client = createClient(laterLedger, open, { askToPersist: false });
      expect(await client.import(new Blob([stored]))).toMatchObject({ status: 'imported', events: 9 });
      expect(await client.verify()).toEqual({ status: 'verified', events: 9 });
      await client.close();
    }
  });

  it('is imported once, also where its worker dies before it has said so, and nothing saved since is given up', async () => {
    for (const replace of [false, true]) {
      const name = `import-died-${replace}`;
      const swapped = createSignal();
      const dying = async (staging: Staging): Promise<Staging> => ({
        ...staging,
        swapIn: async (logId) => {
          await staging.swapIn(logId);
          swapped.give();
          return new Promise(() => undefined);
        },
      });
      const workers: WorkerLike[] = [];
      const client = createClient(
        laterLedger,
        () => {
          workers.push(createDurableWorker(name, undefined, workers.length === 0 ? dying : undefined));
          return workers.at(-1) as WorkerLike;
        },
        { askToPersist: false, patienceMs: 30 },
      );
      const importing = client.import(new Blob([stored]), { replace });
      await swapped.given;
      const other = createClient(laterLedger, () => createDurableWorker(name), { askToPersist: false });
      expect(await other.execute(Account, 'c', 'open', { owner: 'Cyd' })).toMatchObject({ status: 'saved' });
      workers[0]?.terminate();
      expect(await importing).toMatchObject({ status: 'imported', commits: 8, events: 9 });
      const { ready, rows } = client.mirror(laterAccounts);
      await ready;
      expect([...rows.values()].map(({ owner }) => owner)).toEqual(['Ada', 'Ben', 'Cyd']);
      expect(await client.verify()).toEqual({ status: 'verified', events: 10 });
      await client.close();
      await other.close();
    }
  });

  it('shows in a tab whose own import was overtaken by it', async () => {
    for (const [file, why] of [
      [stored, 'storage.replaced'],
      ['not an export', 'import.refused'],
    ] as const) {
      const [staged, held] = [createSignal(), createSignal()];
      const hold = async (staging: Staging) => {
        staged.give();
        await held.given;
        return staging;
      };
      const name = `import-overtaken-${why}`;
      const options = { askToPersist: false };
      const slow = createClient(laterLedger, () => createDurableWorker(name, undefined, hold), options);
      const quick = createClient(laterLedger, () => createDurableWorker(name), options);
      const { ready, rows } = slow.mirror(laterAccounts);
      await ready;
      const overtaken = slow.import(new Blob([file]));
      await staged.given;
      expect(await quick.import(new Blob([stored]))).toMatchObject({ status: 'imported' });
      // Noticed while the own import goes on, and kept back until that is known to have come to nothing.
      const receipt = await slow.execute(Account, 'a', 'archive', {});
      expect(receipt).toMatchObject({ status: 'failed', failure: { type: 'storage.replaced' } });
      expect(rows.size).toBe(0);
      held.give();
      expect(await overtaken).toMatchObject({ status: 'failed', failure: { type: why } });
      await expect.poll(() => [...rows.values()].map(({ owner }) => owner)).toEqual(['Ada', 'Ben']);
      await slow.close();
      await quick.close();
    }
  });

  it('is refused in the place of another one that was joined', async () => {
    const client = createClient(laterLedger, () => createDurableWorker('import-joined'), {
      askToPersist: false,
      log: 'of-ada',
    });
    const refused = await client.import(new Blob([stored]), { replace: true });
    expect(refused).toMatchObject({ status: 'failed', failure: { type: 'import.refused' } });
    expect(refused.status === 'failed' && refused.failure.text).toContain('this device has joined "of-ada"');
    await client.close();
  });
});

function createSignal() {
  let give = () => {};
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give };
}
