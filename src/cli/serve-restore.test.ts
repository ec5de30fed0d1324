import { join } from 'node:path';
import pg from 'pg';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { createClient } from '../client/client.ts';
import { createMemoryEventLog } from '../log/memory-event-log.ts';
import { startTestPostgres } from '../server/fixtures/test-postgres.ts';
import { openPostgresDatabase } from '../server/postgres-database.ts';
import { openSqlSyncStore } from '../server/sql-sync-store.ts';
import { httpSync } from '../sync/http-sync.ts';
import { Account, bankApp } from '../testing/fixtures/bank-app.ts';
import { createInProcessWorker, createTestEnv } from '../testing/in-process-worker.ts';
import { createServeProcesses } from './fixtures/serve-process.ts';
import { writeDump } from './serve/dump-file.ts';

const { createFolder, serve, end } = createServeProcesses();
const postgres = await startTestPostgres();
afterAll(async () => {
  end();
  if (typeof postgres !== 'string') await postgres.stop();
});

const token = 'a-token-for-the-devices';
const devices = 3;

/** A device with the real engine and the real loop, that saves as fast as it is let. */
function createDevice(url: string, log: string, index: number) {
  const ownLog = createMemoryEventLog({ logId: log, client: `client-${index}` });
  let [ids, drawn] = [0, 0];
  const env = { ...createTestEnv(), newId: () => `drawn-${index}-${++drawn}` };
  const sync = httpSync({ url, token });
  const client = createClient(bankApp, () => createInProcessWorker({ app: bankApp, log: ownLog, env, sync }), {
    askToPersist: false,
    newId: () => `c-${index}-${++ids}`,
  });
  onTestFinished(() => client.close());
  const saved: string[] = [];
  return {
    log: ownLog,
    client,
    saved,
    saveUntil: async (isOver: () => boolean) => {
      while (!isOver()) {
        const receipt = await client.execute(Account, index % 2 === 0 ? 'shared' : 'own', 'deposit', { amount: 1 });
        if (receipt.status === 'saved') saved.push(receipt.commandId);
        await wait(60);
      }
    },
  };
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function createSchema(url: string, schema: string): Promise<string> {
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  await admin.query(`create schema ${schema}`);
  await admin.end();
  const own = new URL(url);
  own.searchParams.set('options', `-c search_path=${schema}`);
  return String(own);
}

describe.each([
  ['PGlite', ''],
  ['PostgreSQL', typeof postgres === 'string' ? undefined : postgres.url],
] as const)('devices of a server on %s', (database, url) => {
  it.skipIf(url === undefined)(
    'lose nothing where it is killed and comes back from an older dump',
    { timeout: 90_000 },
    async () => {
      const folder = createFolder();
      const log = `log-${Date.now()}`;
      const schemaUrl = (name: string) => (url ? createSchema(url, `${name}_${Date.now()}`) : undefined);
      const optionsOf = (databaseUrl: string | undefined) => (databaseUrl === undefined ? {} : { databaseUrl });
      const firstUrl = await schemaUrl('first');
      const first = await serve(folder, ['--token', token], optionsOf(firstUrl));
      const running = Array.from({ length: devices }, (_, index) => createDevice(first.url, log, index));
      let isOver = false;
      const saving = running.map((device) => device.saveUntil(() => isOver));
      await wait(1_200);

      // The dump is taken while it serves; what comes after it is lost with the server.
      let dump = join(folder, '.varve/dump.ndjson.gz');
      const port = ['--port', new URL(first.url).port];
      if (firstUrl === undefined) {
        await first.kill('SIGTERM');
        const again = await serve(folder, [...port, '--token', token]);
        await wait(1_500);
        await again.kill('SIGKILL');
      } else {
        dump = join(folder, 'dump.ndjson.gz');
        const store = await openSqlSyncStore(await openPostgresDatabase(firstUrl, { connections: 1 }));
        await writeDump(store, dump);
        await store.close();
        await wait(1_500);
        await first.kill('SIGKILL');
      }
      const secondUrl = await schemaUrl('second');
      const restoredArgs = ['--dir', 'restored', '--restore', dump, '--token', token, ...port];
      const restored = await serve(folder, restoredArgs, optionsOf(secondUrl));
      expect(restored.text()).toContain('restored');
      await wait(1_000);
      isOver = true;
      await Promise.all(saving);

      await expect
        .poll(
          async () => {
            for (const { client } of running) client.syncNow();
            await wait(200);
            const states = running.map(({ client }) => client.status.getState().sync);
            return states.every((sync) => sync?.phase === 'synced' && sync.pending === 0);
          },
          { timeout: 40_000, interval: 300 },
        )
        .toBe(true);
      const all = await restored.readAll(log);
      const ids = all.map(({ commit }) => commit.commandId);
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids.toSorted()).toEqual(running.flatMap(({ saved }) => saved).toSorted());
      await expect
        .poll(
          async () => {
            for (const { client } of running) client.syncNow();
            return Promise.all(running.map(async (device) => device.log.order.confirmed));
          },
          { timeout: 20_000, interval: 300 },
        )
        .toEqual(running.map(() => all.at(-1)?.g));
      for (const device of running) {
        const own: string[] = [];
        for await (const page of device.log.readCommits()) own.push(...page.map(({ orderHash }) => orderHash));
        expect(own).toEqual(all.map(({ oh }) => oh));
      }
      console.log(`${database}: ${ids.length} commits of ${devices} devices, all there after the restore`);
      await restored.kill('SIGTERM');
    },
  );
});
