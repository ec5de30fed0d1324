import { afterAll } from 'vitest';
import { describeLoad } from './load.contract.ts';
import { openPgliteDatabase } from './pglite-database.ts';
import { openSqlSyncStore } from './sql-sync-store.ts';
import { describeSyncStore } from './sync-store.contract.ts';

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

describeSyncStore('PGlite', { open, reopen });
describeLoad('PGlite', { open });
