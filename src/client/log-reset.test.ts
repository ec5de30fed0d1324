import 'fake-indexeddb/auto';
import { expose } from 'comlink';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createEngine } from '../engine/engine.ts';
import { openDexieEventLog } from '../log/dexie-event-log.ts';
import { throwPlainFailures } from '../protocol/plain-failures.ts';
import { Counter, counterApp } from '../testing/fixtures/counter-app.ts';
import { createTestEnv } from '../testing/in-process-worker.ts';
import { type Client, createClient } from './client.ts';
import type { WorkerLike } from './connection.ts';

const name = 'log-reset';

/** The engine in this process, on a log that can be missed. */
function createDurableWorker(): WorkerLike {
  const { port1, port2 } = new MessageChannel();
  const env = createTestEnv();
  const engine = createEngine({
    app: counterApp,
    env,
    durable: true,
    openLog: (hint, onClosed) => openDexieEventLog({ name, env, hint, onClosed }),
  });
  expose(throwPlainFailures(engine), port1);
  const terminate = () => {
    engine.close();
    port1.close();
    port2.close();
  };
  return Object.assign(port2, { terminate });
}

function open(): Client {
  return createClient(counterApp, createDurableWorker, { askToPersist: false });
}

it('takes a backup once the app has started over, and not before', async () => {
  const stored = new Map<string, string>();
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, text: string) => stored.set(key, text),
    removeItem: (key: string) => stored.delete(key),
  });
  onTestFinished(() => void vi.unstubAllGlobals());
  const earlier = open();
  await earlier.execute(Counter, 'a', 'count', { by: 1 });
  const backup = await new Response(earlier.export()).blob();
  await earlier.close();
  await new Promise((resolve) => {
    indexedDB.deleteDatabase(name).onsuccess = resolve;
  });
  const client = open();
  expect(await client.import(backup)).toMatchObject({
    status: 'failed',
    failure: { type: 'storage.reset', text: expect.stringContaining('start over with an empty log, and then restore') },
  });
  client.startOver();
  expect(await client.import(backup)).toMatchObject({ status: 'imported', events: 1 });
  expect(client.status.getState()).toMatchObject({ phase: 'ready', saved: 1 });
  await client.close();
});
