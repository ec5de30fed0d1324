import 'fake-indexeddb/auto';
import { readFileSync } from 'node:fs';
import { expose } from 'comlink';
import { describe, expect, it } from 'vitest';
import { createClient } from '../client/client.ts';
import type { WorkerLike } from '../client/connection.ts';
import { laterAccounts, laterLedger } from '../demo/ledger/history/later-ledger.ts';
import { openDexieEventLog } from '../log/dexie-event-log.ts';
import { throwPlainFailures } from '../protocol/plain-failures.ts';
import { createTestEnv } from '../testing/in-process-worker.ts';
import { createEngine } from './engine.ts';

const stored = readFileSync(new URL('../demo/ledger/history/ledger-of-2024.ndjson', import.meta.url), 'utf8');

/** The engine in this process on IndexedDB, where a log can be imported. */
function createDurableWorker(): WorkerLike {
  const { port1, port2 } = new MessageChannel();
  const env = createTestEnv();
  const openLog = () => openDexieEventLog({ name: 'import-history', env });
  const engine = createEngine({ app: laterLedger, env, openLog, durable: true });
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
    const client = createClient(laterLedger, createDurableWorker, { askToPersist: false });
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
