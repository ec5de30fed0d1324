import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { startTestPostgres } from './fixtures/test-postgres.ts';
import { describeLoad } from './load.contract.ts';
import { openPostgresDatabase } from './postgres-database.ts';
import type { SqlDatabase } from './sql-database.ts';
import { openSqlSyncStore } from './sql-sync-store.ts';
import { describeSyncStore } from './sync-store.contract.ts';

const server = await startTestPostgres();

if (typeof server === 'string') {
  console.log(`PostgreSQL cannot be run here, and DATABASE_URL names none: ${server}`);
  describe.skip('a server on PostgreSQL', () => it('keeps what it promises', () => undefined));
} else {
  const opened: SqlDatabase[] = [];
  const admin = await openPostgresDatabase(server.url, { connections: 1 });
  const schemas: string[] = [];
  afterAll(async () => {
    for (const database of opened) await database.close();
    for (const schema of schemas) await admin.query(`drop schema ${schema} cascade`);
    await admin.close();
    await server.stop();
  });

  const openDatabase = async () => {
    const url = new URL(server.url);
    url.searchParams.set('options', `-c search_path=${schemas.at(-1)}`);
    const database = await openPostgresDatabase(String(url), { connections: 4 });
    opened.push(database);
    return database;
  };
  const createSchema = async () => {
    const schema = `test_${randomUUID().replaceAll('-', '')}`;
    schemas.push(schema);
    await admin.query(`create schema ${schema}`);
  };
  const reopen = async () => openSqlSyncStore(await openDatabase());

  const open = async () => {
    await createSchema();
    return reopen();
  };

  describeSyncStore('PostgreSQL', { open, reopen });
  describeLoad('PostgreSQL', { open });

  describe('a PostgreSQL database', () => {
    it('makes its tables once, also where several servers start at once', async () => {
      await createSchema();
      const stores = await Promise.all([1, 2, 3, 4].map(reopen));
      expect(new Set(stores.map(({ epoch }) => epoch)).size).toBe(1);
    });

    it('runs a transaction again that was given up for the sake of another', async () => {
      await createSchema();
      const database = await openDatabase();
      await database.query('create table counts (name text primary key, n int)');
      await database.query("insert into counts values ('a', 0), ('b', 0)");
      let runs = 0;
      const both = (first: string, second: string) =>
        database.transaction(async (query) => {
          runs += 1;
          await query('update counts set n = n + 1 where name = $1', [first]);
          await query('select pg_sleep(0.05)');
          await query('update counts set n = n + 1 where name = $1', [second]);
        });
      await Promise.all([both('a', 'b'), both('b', 'a')]);
      expect(await database.query('select n from counts')).toEqual([{ n: 2 }, { n: 2 }]);
      expect(runs).toBeGreaterThan(2);
    });
  });
}
