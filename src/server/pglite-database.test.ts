import { afterAll, expect, it } from 'vitest';
import { createAuthor } from './fixtures/author.ts';
import { createTestServer } from './fixtures/test-server.ts';
import { describeLoad } from './load.contract.ts';
import { openPgliteDatabase } from './pglite-database.ts';
import { openSqlSyncStore } from './sql-sync-store.ts';
import { describeSyncStore } from './sync-store.contract.ts';
import type { SyncStore } from './sync-store.ts';

// One for all: it takes seconds to make one. Each test has its own tables.
const database = await openPgliteDatabase();
afterAll(() => database.close());
let schemas = 0;

const reopen = () => openSqlSyncStore({ ...database, close: async () => undefined });

const open = async () => {
  schemas += 1;
  await database.query(`create schema test_${schemas}`);
  await database.query(`set search_path to test_${schemas}`);
  return reopen();
};

it('adds up what logs take that were made before that was counted', async () => {
  const store = await open();
  const server = createTestServer(store);
  for (const log of ['log-1', 'log-2']) await server.hello({ log });
  const author = createAuthor('log-1', 'a');
  await server.push([author.commit(['s-1']), author.commit(['s-1'])]);
  const counts = async (of: SyncStore) => (await of.listLogs()).map(({ bytes }) => bytes);
  const [first = 0, second] = await counts(store);
  expect(first).toBeGreaterThan(300);
  expect(second).toBe(0);
  await database.query('alter table varve_logs drop column bytes');
  await database.query("update varve_store set value = '1' where name = 'version'");
  expect(await counts(await reopen())).toEqual([first, second]);
});

describeSyncStore('PGlite', { open, reopen });
describeLoad('PGlite', { open });
