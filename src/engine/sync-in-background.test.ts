import 'fake-indexeddb/auto';
import { expect, it } from 'vitest';
import { createClient } from '../client/client.ts';
import { defineApp } from '../core/app.ts';
import { openDexieEventLog } from '../log/dexie-event-log.ts';
import { createMemorySyncStore } from '../server/memory-sync-store.ts';
import { allowAll, authenticateTokens } from '../server/policy.ts';
import { createSyncHandler } from '../server/sync-handler.ts';
import { httpSync } from '../sync/http-sync.ts';
import { Account, Balances, takeSeat } from '../testing/fixtures/bank-app.ts';
import { createInProcessWorker, createTestEnv } from '../testing/in-process-worker.ts';
import { syncInBackground } from './sync-in-background.ts';

const env = createTestEnv();
const store = createMemorySyncStore();
const handler = createSyncHandler({
  store,
  authenticate: authenticateTokens({ secret: { id: 'ada' } }),
  authorise: allowAll,
});
let isOnline = false;
const sync = httpSync({
  url: 'http://server',
  token: 'secret',
  fetch: async (input, init) => {
    if (!isOnline) throw new TypeError('Failed to fetch');
    return handler(new Request(String(input), init));
  },
});

/** A page that is offline, and closed when it is done. */
async function visit(name: string, work: (client: ReturnType<typeof createClient>) => Promise<unknown>) {
  const app = appOf(name);
  const log = await openDexieEventLog({ name: `varve-${name}`, env });
  isOnline = false;
  const client = createClient(app, () => createInProcessWorker({ app, log, env, sync }), { askToPersist: false });
  await work(client);
  await client.close();
  log.close();
}

const appOf = (name: string) =>
  defineApp({ name, aggregates: [Account], decisions: [takeSeat], projections: [Balances] });

it('sends what a page had saved that is closed by now, and brings what others wrote', async () => {
  let logId = '';
  await visit('one', async (client) => {
    await client.execute(Account, 'ada', 'deposit', { amount: 5 });
    await client.execute(takeSeat, { hall: 'h', seat: 's', by: 'ada' });
    logId = client.status.getState().logId ?? '';
  });
  isOnline = true;
  await syncInBackground(appOf('one'), { sync });
  expect((await store.findLog(logId))?.head.g).toBe(2);
  await visit('one', async (client) => {
    await client.receipts.find('nothing');
    await expect.poll(() => client.status.getState().sync).toMatchObject({ pending: 0, confirmed: 2 });
  });
});

it('makes no log where there is none', async () => {
  isOnline = true;
  await syncInBackground(appOf('nobody'), { sync });
  await syncInBackground(appOf('one'), { sync, log: 'f'.repeat(32) });
  expect((await indexedDB.databases()).map(({ name }) => name)).toEqual(['varve-one']);
});

it('says what is in the way, and leaves the log as it was', async () => {
  await visit('two', (client) => client.execute(Account, 'ada', 'deposit', { amount: 5 }));
  isOnline = false;
  await expect(syncInBackground(appOf('two'), { sync })).rejects.toThrow('cannot be reached');
  const silent = httpSync({ url: 'http://server', token: 'secret', fetch: () => new Promise(() => undefined) });
  await expect(syncInBackground(appOf('two'), { sync: silent, patienceMs: 50 })).rejects.toThrow('longer than 0.05 s');
  await visit('two', async (client) => {
    await client.receipts.find('nothing');
    expect(client.status.getState().sync).toMatchObject({ pending: 1, confirmed: 0 });
  });
});
