import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { createAuthor } from './fixtures/author.ts';
import { checkChain } from './fixtures/check-chain.ts';
import { startTestPostgres } from './fixtures/test-postgres.ts';
import { createTestServer, pushOf } from './fixtures/test-server.ts';
import { describeLoad } from './load.contract.ts';
import { openPostgresDatabase, type PostgresOptions } from './postgres-database.ts';
import { checkPush, pushCommits } from './push-commits.ts';
import { defaultLimits } from './server-limits.ts';
import { isTransient, type SqlDatabase } from './sql-database.ts';
import { openSqlSyncStore } from './sql-sync-store.ts';
import { describeSyncStore } from './sync-store.contract.ts';

const server = await startTestPostgres();

/** A server that lets somebody in, or not even that, and then says nothing. */
async function startSilent({ greets }: { readonly greets: boolean }): Promise<string> {
  const readyForQuery = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49]);
  const silent = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => void (greets && socket.write(readyForQuery)));
  });
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void silent.close());
  const address = silent.address();
  return `postgres://u@127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/x`;
}

describe('a database that cannot be reached', () => {
  it.each([
    ['does not let anybody in', { greets: false }],
    ['lets in, and falls silent', { greets: true }],
  ])('is away for now where its server %s', async (_what, how) => {
    const database = await openPostgresDatabase(await startSilent(how), { connections: 1, statementMs: 50 });
    const work = [
      database.query('select 1'),
      database.query('select 2'),
      database.transaction((query) => query('select 3')),
    ];
    for (const outcome of await Promise.allSettled(work)) {
      expect(outcome.status).toBe('rejected');
      if (outcome.status === 'rejected') expect(isTransient(outcome.reason), String(outcome.reason)).toBe(true);
    }
    await database.close();
  });

  it('is away for now where its name is not known', async () => {
    const database = await openPostgresDatabase('postgres://u@nowhere.invalid/x');
    expect(isTransient(await database.query('select 1').catch((error: unknown) => error))).toBe(true);
    await database.close();
  });
});

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

  const openDatabase = async (options: PostgresOptions = {}) => {
    const url = new URL(server.url);
    url.searchParams.set('options', `-c search_path=${schemas.at(-1)}`);
    const database = await openPostgresDatabase(String(url), { connections: 4, ...options });
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

    it('waits for its tables longer than a statement may take', async () => {
      await createSchema();
      await reopen();
      const holder = await openDatabase();
      let isHeld = () => {};
      const held = new Promise<void>((resolve) => {
        isHeld = resolve;
      });
      const holding = holder.transaction(async (query) => {
        await query('lock table varve_store in access exclusive mode');
        isHeld();
        await query('select pg_sleep(1)');
      });
      await held;
      const store = await openSqlSyncStore(await openDatabase({ statementMs: 200 }));
      await holding;
      // Its other statements are ended in time.
      const holdingAgain = holder.transaction(async (query) => {
        await query('lock table varve_logs in access exclusive mode');
        await query('select pg_sleep(1)');
      });
      await expect.poll(() => store.listLogs().catch((error: unknown) => isTransient(error))).toBe(true);
      await holdingAgain;
    });

    it('stores a large commit in statements that do not take long', async () => {
      await createSchema();
      const database = await openDatabase();
      const rows: number[] = [];
      const store = await openSqlSyncStore({
        ...database,
        transaction: (work) =>
          database.transaction((query) =>
            work(async (text, parameters = []) => {
              if (text.includes('insert into varve_events')) {
                const lists = parameters.map(String).filter((text) => text.startsWith('['));
                rows.push(Math.max(...lists.map((list) => JSON.parse(list).length)));
              }
              return query(text, parameters);
            }),
          ),
      });
      const server = createTestServer(store, { limits: { bodyBytes: 8_000_000, pushEvents: 100_000 } });
      await server.hello();
      const streams = Array.from({ length: 25_000 }, (_, index) => `s-${index % 7}`);
      const ada = createAuthor('log-1', 'a');
      expect(await server.results([ada.commit(streams)])).toEqual([{ type: 'accepted', g: 25_000 }]);
      expect(rows).toEqual([10_000, 10_000, 5_000]);
      const guard = { revisions: [{ stream: 's-3', revision: Math.floor((25_000 - 4) / 7) }] };
      expect(await server.results([ada.commit(['s-3'], { guard })])).toEqual([{ type: 'accepted', g: 25_001 }]);
      expect(checkChain(await server.readAll())).toEqual([]);
    });

    it('survives that a connection is ended in the middle of a transaction', async () => {
      await createSchema();
      const database = await openDatabase();
      const ended = database.transaction(async (query) => {
        const [row] = await query<{ readonly pid: number }>('select pg_backend_pid() as pid');
        await admin.query('select pg_terminate_backend($1)', [row?.pid ?? 0]);
        // Until this side has noticed.
        await new Promise((resolve) => setTimeout(resolve, 100));
        return query('select 1');
      });
      expect(isTransient(await ended.catch((error: unknown) => error))).toBe(true);
      expect(await database.query('select 1 as one')).toEqual([{ one: 1 }]);
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

    it.each([
      ['that others were in the way of are stored', 'serialization_failure', 1, undefined],
      ['for which it fails is in nobody’s way', 'raise_exception', 8, 'P0001'],
    ])('lets pushes be stored together: one %s', async (_what, condition, times, code) => {
      await createSchema();
      const database = await openDatabase();
      let asked = 0;
      const store = await openSqlSyncStore({
        ...database,
        transaction: (work) =>
          database.transaction((query) =>
            work(async (text, parameters) => {
              const isOfFirst = text.includes('order by g limit 1') && parameters?.[2] === 'c0';
              if (isOfFirst && ++asked <= times) await query(`do $$ begin raise ${condition}; end $$`);
              return query(text, parameters);
            }),
          ),
      });
      await store.createLog('log-1', 'bank');
      const guard = { condition: { failIfEventsMatch: [{ stream: 'nothing' }], after: 0 } };
      const outcomes = await Promise.allSettled(
        ['c0', 'c1', 'c2', 'c3'].map((client) => {
          const push = checkPush(pushOf([createAuthor('log-1', client).commit(['s'], { guard })]), defaultLimits);
          const context = { actor: { id: 'ada' }, mayPush: () => 'allow' as const, limits: defaultLimits, now: 0 };
          return store.write('log-1', (one) => pushCommits(one, push, context), push.look);
        }),
      );
      const codes = outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : undefined));
      expect(codes).toEqual([code, undefined, undefined, undefined]);
      expect((await store.findLog('log-1'))?.head.g).toBe(code === undefined ? 4 : 3);
    });
  });
}
