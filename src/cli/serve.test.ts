import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { PushedCommit } from '../protocol/sync-messages.ts';
import { createAuthor } from '../server/fixtures/author.ts';
import { checkChain } from '../server/fixtures/check-chain.ts';
import { startTestPostgres } from '../server/fixtures/test-postgres.ts';
import { pushOf } from '../server/fixtures/test-server.ts';
import { createServeProcesses } from './fixtures/serve-process.ts';

const { createFolder, serve, end } = createServeProcesses();
const postgres = await startTestPostgres();
if (typeof postgres === 'string') {
  console.log(`PostgreSQL cannot be run here, and DATABASE_URL names none: ${postgres}`);
}
afterAll(async () => {
  end();
  if (typeof postgres !== 'string') await postgres.stop();
  // A dozen databases of a thousand files each are deleted.
}, 60_000);

/** How often the server is killed while it is pushed to: many for a release, three for every day. */
const kills = Number(process.env.VARVE_KILLS ?? 3);

/** A line on which one commit takes longer than a minute: it runs beside the other tests. */
const slowPush = pushSlowly(70).catch((error: unknown) => error);

async function pushSlowly(seconds: number): Promise<number | undefined> {
  const server = await serve(createFolder());
  await server.hello();
  const body = JSON.stringify(pushOf([createAuthor('log-1', 'a').commit(['a-1'])]));
  const headers = { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' };
  const push = request(`${server.url}/sync/push`, { method: 'POST', headers });
  const answered = new Promise<number | undefined>((resolve, reject) => {
    push.once('response', (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    push.once('error', reject);
  });
  const step = Math.ceil(body.length / (seconds / 5));
  for (let at = 0; at < body.length; at += step) {
    push.write(body.slice(at, at + step));
    await Promise.race([new Promise((resolve) => setTimeout(resolve, 5_000)), answered]);
  }
  push.end();
  const status = await answered;
  await server.kill('SIGTERM');
  return status;
}

describe('varve serve', () => {
  it('keeps what was pushed, dumps it when it is stopped, and restores a dump', { timeout: 60_000 }, async () => {
    const folder = createFolder();
    const first = await serve(folder);
    expect(first.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(first.text()).toContain(`serves the logs in ${join(folder, '.varve')}`);
    const { epoch } = await first.hello();
    const ada = createAuthor('log-1', 'a');
    const commits = [ada.commit(['a-1', 'a-2']), ada.commit(['a-1'])];
    await first.push(commits);

    const second = await serve(folder);
    expect(await second.ended).toBe(1);
    expect(second.text()).toMatch(/is in use by process \d+: one server at a time\./);

    expect(await first.kill('SIGTERM')).toBe(0);
    expect(first.text()).toContain('SIGTERM: finishing what is open.');
    const dump = join(folder, '.varve/dump.ndjson.gz');
    expect(existsSync(dump)).toBe(true);
    expect(existsSync(join(folder, '.varve/lock'))).toBe(false);

    const third = await serve(folder);
    // Printed by the start that minted it, and by no other.
    expect(first.text()).toContain(`token     ${first.token}  (new, and kept in ${join(folder, '.varve/token')})`);
    expect(third.text()).not.toContain(first.token);
    expect(third.text()).toContain(`as it stands in ${join(folder, '.varve/token')}`);
    expect(await third.hello()).toMatchObject({ epoch, head: { g: 3 } });
    expect((await third.push([...commits, ada.commit(['a-2'])])).results.map(({ result }) => result.type)).toEqual([
      'duplicate',
      'duplicate',
      'accepted',
    ]);

    const restored = await serve(folder, ['--dir', 'other', '--restore', dump, '--token', 'a-token-of-our-own']);
    expect(restored.text()).toContain('restored  1 logs, 2 commits, 3 events');
    expect(restored.text()).not.toContain('a-token-of-our-own');
    const hello = await restored.hello();
    expect(hello).toMatchObject({ head: { g: 3 }, clientLast: { seq: 2, id: 'a-2' } });
    expect(hello.epoch).not.toBe(epoch);
    expect(checkChain(await restored.readAll())).toEqual([]);
    expect(await third.kill('SIGINT')).toBe(0);
    expect(await restored.kill('SIGINT')).toBe(0);
  });

  it('ends as it should where one Ctrl+C is two signals, as npx makes them', { timeout: 30_000 }, async () => {
    const folder = createFolder();
    const server = await serve(folder);
    await server.hello();
    await server.push([createAuthor('log-1', 'a').commit(['a-1'])]);
    const ended = server.kill('SIGINT');
    await expect.poll(server.text, { interval: 1 }).toContain('SIGINT: finishing what is open.');
    void server.kill('SIGINT');
    expect(await ended).toBe(0);
    expect(existsSync(join(folder, '.varve/dump.ndjson.gz'))).toBe(true);
    expect(existsSync(join(folder, '.varve/lock'))).toBe(false);
  });

  it('stops in order also where nobody reads what it says, as when its terminal was closed', {
    timeout: 30_000,
  }, async () => {
    const folder = createFolder();
    const server = await serve(folder);
    await server.hello();
    await server.push([createAuthor('log-1', 'a').commit(['a-1'])]);
    server.stopReading();
    expect(await server.kill('SIGHUP')).toBe(0);
    expect(existsSync(join(folder, '.varve/dump.ndjson.gz'))).toBe(true);
    expect(existsSync(join(folder, '.varve/lock'))).toBe(false);
  });

  it('is another one to its clients where it was not stopped in order: it may have lost something', {
    timeout: 30_000,
  }, async () => {
    const folder = createFolder();
    const first = await serve(folder);
    const { epoch } = await first.hello();
    await first.push([createAuthor('log-1', 'a').commit(['a-1'])]);
    await first.kill('SIGKILL');
    const second = await serve(folder);
    const hello = await second.hello();
    expect(hello.head.g).toBe(1);
    expect(hello.epoch).not.toBe(epoch);
    expect(await second.kill('SIGTERM')).toBe(0);
    const third = await serve(folder);
    expect((await third.hello()).epoch).toBe(hello.epoch);
    expect(await third.kill('SIGTERM')).toBe(0);
  });

  it('takes an import as one commit, and restores it', { timeout: 60_000 }, async () => {
    const folder = createFolder();
    const server = await serve(folder);
    await server.hello();
    const streams = Array.from({ length: 2_000 }, (_, index) => `account-${index}`);
    const guard = { revisions: streams.map((stream) => ({ stream, revision: -1 })) };
    const events = Array.from({ length: 20_000 }, (_, index) => streams[index % streams.length] ?? '');
    const { results } = await server.push([createAuthor('log-1', 'a').commit(events, { guard })]);
    expect(results.map(({ result }) => result)).toEqual([{ type: 'accepted', g: 20_000 }]);
    expect(await server.kill('SIGTERM')).toBe(0);
    const restored = await serve(folder, ['--dir', 'other', '--restore', join(folder, '.varve/dump.ndjson.gz')]);
    expect(restored.text()).toContain('restored  1 logs, 1 commits, 20000 events');
    expect(await restored.hello()).toMatchObject({ head: { g: 20_000 } });
    expect(await restored.kill('SIGTERM')).toBe(0);
  });

  describe.each([
    ['PGlite', undefined],
    ['PostgreSQL', typeof postgres === 'string' ? postgres : { databaseUrl: postgres.url }],
  ] as const)('on %s', (database, options) => {
    it.skipIf(typeof options === 'string')(
      'loses nothing that it acknowledged when it is killed, and tears no commit',
      { timeout: 30_000 * (kills + 1) },
      async () => {
        const folder = createFolder();
        const log = `log-${Date.now()}`;
        const open = () => serve(folder, [], typeof options === 'string' ? {} : options);
        const acknowledged = new Set<string>();
        const authors = Array.from({ length: 4 }, (_, index) => createAuthor(log, `client-${index}`));
        // What was sent last and not answered: it is pushed again, as a client would.
        const pending = new Map<string, readonly PushedCommit[]>();
        for (let round = 0; round < kills; round += 1) {
          const server = await open();
          await server.hello({ log });
          const pushing = authors.map(async (author) => {
            for (;;) {
              const commits = pending.get(author.client) ?? [
                author.commit([author.client, 'shared', 'shared']),
                author.commit(['shared', 'shared']),
              ];
              pending.set(author.client, commits);
              const { results } = await server.push(commits, log);
              for (const { commitId, result } of results) {
                if (result.type !== 'accepted' && result.type !== 'duplicate') throw new Error(result.type);
                acknowledged.add(commitId);
              }
              pending.delete(author.client);
            }
          });
          const outcomes = Promise.allSettled(pushing);
          await new Promise((resolve) => setTimeout(resolve, 400 + 150 * (round % 8)));
          await server.kill('SIGKILL');
          const reasons = (await outcomes).map((outcome) =>
            outcome.status === 'rejected' ? String(outcome.reason) : '',
          );
          expect(reasons.filter((reason) => !reason.includes('fetch failed'))).toEqual([]);
        }
        const server = await open();
        const all = await server.readAll(log);
        expect(checkChain(all)).toEqual([]);
        const stored = new Set(all.map(({ commit }) => commit.commandId));
        expect([...acknowledged].filter((id) => !stored.has(id))).toEqual([]);
        expect(acknowledged.size).toBeGreaterThan(20);
        console.log(
          `${kills} kills on ${database}: ${acknowledged.size} commits acknowledged, ${stored.size} stored, none lost`,
        );
        await server.kill('SIGTERM');
      },
    );
  });

  it('prints once whose pages it refuses, and serves those that are listed', { timeout: 30_000 }, async () => {
    // An empty variable is none.
    const server = await serve(createFolder(), ['--origin', 'capacitor://localhost'], { tokenVariable: '' });
    const ask = (origin: string) => fetch(`${server.url}/health`, { headers: { origin } });
    expect((await ask('capacitor://localhost')).status).toBe(200);
    expect(server.text()).toContain(`token     ${server.token}  (new, `);
    for (const origin of ['https://shelf.example', 'https://shelf.example', 'http://localhost:5173']) {
      expect((await ask(origin)).status).toBe(403);
    }
    await expect.poll(server.text).toContain('pages of "http://localhost:5173"');
    expect(server.text().match(/Refused: pages of "https:\/\/shelf\.example"\./g)).toHaveLength(1);
    await server.kill('SIGTERM');
  });

  it('says what is wrong with the command line, and with the folder', { timeout: 30_000 }, async () => {
    const folder = createFolder();
    const fail = async (...args: readonly string[]) => {
      const server = await serve(folder, args);
      return { code: await server.ended, text: server.text() };
    };
    const [port, origin, token, unsendable, missing] = await Promise.all([
      fail('--port', '99999'),
      fail('--origin', 'localhost'),
      fail('--token', 'short'),
      fail('--token', 'naše-dlouhé-heslo-pro-dům'),
      fail('--file', 'x'),
    ]);
    expect(port).toMatchObject({ code: 2 });
    expect(port.text).toContain('--port is a whole number from 0 to 65535');
    expect(origin.text).toContain('"localhost" is no origin');
    expect(token.text).toContain('16 characters or more');
    expect(unsendable.text).toContain('16 characters or more');
    expect(missing).toMatchObject({ code: 2 });

    mkdirSync(join(folder, 'held'));
    writeFileSync(join(folder, 'held/lock'), JSON.stringify({ pid: process.pid }));
    const held = await fail('--dir', 'held');
    expect(held).toMatchObject({ code: 1 });
    expect(held.text).toContain(`in use by process ${process.pid}`);
    expect(JSON.parse(readFileSync(join(folder, 'held/lock'), 'utf8'))).toEqual({ pid: process.pid });

    mkdirSync(join(folder, 'emptied'));
    writeFileSync(join(folder, 'emptied/token'), '\n');
    const emptied = await fail('--dir', 'emptied');
    expect(emptied).toMatchObject({ code: 1 });
    expect(emptied.text).toContain(`${join(folder, 'emptied/token')} holds no token`);
  });

  it('takes a commit also from a line on which that lasts longer than a minute', { timeout: 120_000 }, async () => {
    expect(await slowPush).toBe(200);
  });
});
