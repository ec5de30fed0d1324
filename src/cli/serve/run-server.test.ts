import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createAuthor } from '../../server/fixtures/author.ts';
import { startTestPostgres } from '../../server/fixtures/test-postgres.ts';
import { helloOf, pushOf } from '../../server/fixtures/test-server.ts';
import type { ServerLogEntry } from '../../server/sync-handler.ts';
import { runServer } from './run-server.ts';

const artifacts = fileURLToPath(new URL('../../../.artifacts', import.meta.url));
mkdirSync(artifacts, { recursive: true });
const dir = mkdtempSync(join(artifacts, 'run-server-'));
const postgres = await startTestPostgres();
afterAll(async () => {
  rmSync(dir, { recursive: true, force: true });
  if (typeof postgres !== 'string') await postgres.stop();
});

const options = {
  dir,
  host: '127.0.0.1',
  port: 0,
  token: 'a-token-for-the-test',
  origins: [],
  restore: undefined,
  isEpochRenewed: false,
  dumpMinutes: 60,
  onLog: () => undefined,
};

async function post(url: string, route: string, message: object): Promise<Record<string, unknown>> {
  const headers = { authorization: `Bearer ${options.token}`, 'content-type': 'application/json' };
  const response = await fetch(`${url}/sync/${route}`, { method: 'POST', headers, body: JSON.stringify(message) });
  return (await response.json()) as Record<string, unknown>;
}

it('gives its folder back whatever fails, and dumps nothing where it did not serve', { timeout: 90_000 }, async () => {
  const own = mkdtempSync(join(artifacts, 'run-server-'));
  onTestFinished(() => rmSync(own, { recursive: true, force: true }));
  const onLog = ({ error }: ServerLogEntry) => {
    if (error === 'DUMP_FAILED') throw new Error('the log is full');
  };
  const running = await runServer({ ...options, dir: own, databaseUrl: undefined, onLog });
  await post(running.url, 'hello', helloOf());
  await post(running.url, 'push', pushOf([createAuthor('log-1', 'a').commit(['a-1'])]));
  mkdirSync(join(own, 'dump.ndjson.gz.unfinished'));
  await expect(running.stop()).rejects.toThrow('the log is full');
  await running.stop();
  rmSync(join(own, 'dump.ndjson.gz.unfinished'), { recursive: true });
  expect(readdirSync(own)).toEqual(['pglite']);

  const other = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void other.close());
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address() as AddressInfo;
  await expect(runServer({ ...options, dir: own, databaseUrl: undefined, port })).rejects.toThrow(`Port ${port}`);
  expect(readdirSync(own)).toEqual(['pglite']);
});

if (typeof postgres === 'string') {
  console.log(`PostgreSQL cannot be run here, and DATABASE_URL names none: ${postgres}`);
  describe.skip('a server on DATABASE_URL', () => it('shares its logs with others', () => undefined));
} else {
  describe('a server on DATABASE_URL', () => {
    it('shares its logs with others, and renews the epoch when it is told to', { timeout: 30_000 }, async () => {
      const databaseUrl = postgres.url;
      const first = await runServer({ ...options, databaseUrl });
      const second = await runServer({ ...options, databaseUrl });
      expect(first.place).toBe(`PostgreSQL at ${new URL(databaseUrl).host}${new URL(databaseUrl).pathname}`);
      const log = `log-${Date.now()}`;
      const { epoch } = await post(first.url, 'hello', helloOf({ log }));
      const commits = [createAuthor(log, 'a').commit(['a-1'])];
      await post(first.url, 'push', pushOf(commits, { log }));
      expect(await post(second.url, 'hello', helloOf({ log }))).toMatchObject({ epoch, head: { g: 1 } });
      await first.stop();
      await second.stop();
      const third = await runServer({ ...options, databaseUrl, isEpochRenewed: true });
      const hello = await post(third.url, 'hello', helloOf({ log }));
      expect(hello).toMatchObject({ head: { g: 1 }, clientLast: { seq: 1, id: 'a-1' } });
      expect(hello.epoch).not.toBe(epoch);
      await third.stop();
      // The database looks after itself: nothing is locked and nothing is dumped.
      expect(readdirSync(dir)).toEqual([]);
    });

    it('says what became of a connection to the database', async () => {
      const onLog = vi.fn<(entry: ServerLogEntry) => void>();
      const running = await runServer({ ...options, databaseUrl: postgres.url, onLog });
      const admin = new pg.Client({ connectionString: postgres.url });
      await admin.connect();
      await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'varve'`);
      await admin.end();
      await expect.poll(() => onLog.mock.calls.length).toBeGreaterThan(0);
      await running.stop();
      expect(onLog.mock.calls[0]).toMatchObject([
        {
          level: 'error',
          error: 'DATABASE',
          detail: 'error 57P01 terminating connection due to administrator command',
        },
      ]);
    });

    it('is not started on a part of a dump, and holds no connection to it', async () => {
      const databaseUrl = postgres.url;
      const running = await runServer({ ...options, databaseUrl });
      await post(running.url, 'hello', helloOf());
      await post(running.url, 'push', pushOf([createAuthor('log-1', 'a').commit(['a-1'])]));
      await running.stop();
      const admin = new pg.Client({ connectionString: databaseUrl });
      await admin.connect();
      await admin.query("insert into varve_store values ('restoring', 'yes')");
      await expect(runServer({ ...options, databaseUrl })).rejects.toThrow('A restore has not come to its end here');
      const isOpen = "select 1 from pg_stat_activity where application_name = 'varve'";
      await expect.poll(async () => (await admin.query(isOpen)).rows).toEqual([]);
      await admin.query("delete from varve_store where name = 'restoring'");
      await admin.end();
    });

    it('is not started where the database cannot be reached, or the port is in use', async () => {
      const running = await runServer({ ...options, databaseUrl: postgres.url });
      const port = Number(new URL(running.url).port);
      await expect(runServer({ ...options, port, databaseUrl: postgres.url })).rejects.toThrow(
        `Port ${port} of 127.0.0.1 is in use.`,
      );
      await running.stop();
      await expect(runServer({ ...options, databaseUrl: running.url.replace('http', 'postgres') })).rejects.toThrow();
    });
  });
}
