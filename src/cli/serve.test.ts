import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { parseHelloReply, parsePullReply, parsePushReply } from '../protocol/parse-sync-reply.ts';
import type { PulledCommit, PushedCommit, SyncBase } from '../protocol/sync-messages.ts';
import { createAuthor } from '../server/fixtures/author.ts';
import { checkChain } from '../server/fixtures/check-chain.ts';
import { helloOf, pullOf, pushOf, requireParsed, start } from '../server/fixtures/test-server.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const artifacts = join(root, '.artifacts');
mkdirSync(artifacts, { recursive: true });
const folders: string[] = [];
const running = new Set<ChildProcess>();
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function createFolder(): string {
  const folder = mkdtempSync(join(artifacts, 'serve-'));
  folders.push(folder);
  return folder;
}

/** `varve serve` as a process of its own, once it listens or has ended. */
async function serve(folder: string, ...args: readonly string[]) {
  // The sources are TypeScript, which Node 20 does not read: the loader of the command line does.
  const loader = join(root, 'node_modules/jiti/lib/jiti-cli.mjs');
  const command = [loader, join(root, 'src/cli/main.ts'), 'serve', '--port', '0', ...args];
  const { DATABASE_URL: _url, VARVE_TOKEN: _token, ...env } = process.env;
  const child = spawn(process.execPath, command, { cwd: folder, env: { ...env, NO_COLOR: '1' } });
  running.add(child);
  let text = '';
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', (code) => {
      running.delete(child);
      resolve(code);
    });
  });
  const listening = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        text += chunk;
        if (text.includes('Ctrl+C')) resolve();
      });
    }
  });
  await Promise.race([listening, ended]);
  const url = /http:\/\/\S+/.exec(text)?.[0] ?? '';
  const token = /token +(\S+)/.exec(text)?.[1] ?? '';
  const post = async (route: string, message: object): Promise<unknown> => {
    const response = await fetch(`${url}/sync/${route}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(message),
    });
    const body: unknown = await response.json();
    if (response.status !== 200) throw new Error(`${response.status} ${JSON.stringify(body)}`);
    return body;
  };
  return {
    url,
    token,
    ended,
    text: () => text,
    hello: async () => requireParsed(parseHelloReply(await post('hello', helloOf()))),
    push: async (commits: readonly PushedCommit[]) =>
      requireParsed(parsePushReply(await post('push', pushOf(commits)))),
    readAll: async () => {
      const all: PulledCommit[] = [];
      for (let base: SyncBase = start; ; ) {
        const { commits } = requireParsed(parsePullReply(await post('pull', pullOf({ base }))));
        const last = commits.at(-1);
        if (last === undefined) return all;
        all.push(...commits);
        base = { epoch: '', g: last.g, oh: last.oh };
      }
    },
    kill: async (signal: NodeJS.Signals) => {
      child.kill(signal);
      return ended;
    },
  };
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
    expect(third.token).toBe(first.token);
    expect(await third.hello()).toMatchObject({ epoch, head: { g: 3 } });
    expect((await third.push([...commits, ada.commit(['a-2'])])).results.map(({ result }) => result.type)).toEqual([
      'duplicate',
      'duplicate',
      'accepted',
    ]);

    const restored = await serve(folder, '--dir', 'other', '--restore', dump, '--token', 'a-token-of-our-own');
    expect(restored.text()).toContain('restored  1 logs, 2 commits, 3 events');
    expect(restored.token).toBe('a-token-of-our-own');
    const hello = await restored.hello();
    expect(hello).toMatchObject({ head: { g: 3 }, clientLast: { seq: 2, id: 'a-2' } });
    expect(hello.epoch).not.toBe(epoch);
    expect(checkChain(await restored.readAll())).toEqual([]);
    expect(await third.kill('SIGINT')).toBe(0);
    expect(await restored.kill('SIGINT')).toBe(0);
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
    const restored = await serve(folder, '--dir', 'other', '--restore', join(folder, '.varve/dump.ndjson.gz'));
    expect(restored.text()).toContain('restored  1 logs, 1 commits, 20000 events');
    expect(await restored.hello()).toMatchObject({ head: { g: 20_000 } });
    expect(await restored.kill('SIGTERM')).toBe(0);
  });

  it('loses nothing that it acknowledged when it is killed, and tears no commit', { timeout: 90_000 }, async () => {
    const folder = createFolder();
    const acknowledged = new Set<string>();
    const authors = Array.from({ length: 4 }, (_, index) => createAuthor('log-1', `client-${index}`));
    // What was sent last and not answered: it is pushed again, as a client would.
    const pending = new Map<string, readonly PushedCommit[]>();
    for (let round = 0; round < 3; round += 1) {
      const server = await serve(folder);
      await server.hello();
      const pushing = authors.map(async (author) => {
        for (;;) {
          const commits = pending.get(author.client) ?? [
            author.commit([author.client, 'shared', 'shared']),
            author.commit(['shared', 'shared']),
          ];
          pending.set(author.client, commits);
          const { results } = await server.push(commits);
          for (const { commitId, result } of results) {
            if (result.type !== 'accepted' && result.type !== 'duplicate') throw new Error(result.type);
            acknowledged.add(commitId);
          }
          pending.delete(author.client);
        }
      });
      const outcomes = Promise.allSettled(pushing);
      await new Promise((resolve) => setTimeout(resolve, 400 + 150 * round));
      await server.kill('SIGKILL');
      const reasons = (await outcomes).map((outcome) => (outcome.status === 'rejected' ? String(outcome.reason) : ''));
      expect(reasons.filter((reason) => !reason.includes('fetch failed'))).toEqual([]);
    }
    const server = await serve(folder);
    const all = await server.readAll();
    expect(checkChain(all)).toEqual([]);
    const stored = new Set(all.map(({ commit }) => commit.commandId));
    expect([...acknowledged].filter((id) => !stored.has(id))).toEqual([]);
    expect(acknowledged.size).toBeGreaterThan(20);
    console.log(`3 kills: ${acknowledged.size} commits acknowledged, ${stored.size} stored, none lost`);
    await server.kill('SIGTERM');
  });

  it('says what is wrong with the command line, and with the folder', { timeout: 30_000 }, async () => {
    const folder = createFolder();
    const fail = async (...args: readonly string[]) => {
      const server = await serve(folder, ...args);
      return { code: await server.ended, text: server.text() };
    };
    const [port, origin, token, missing] = await Promise.all([
      fail('--port', '99999'),
      fail('--origin', 'localhost'),
      fail('--token', 'short'),
      fail('--file', 'x'),
    ]);
    expect(port).toMatchObject({ code: 2 });
    expect(port.text).toContain('--port is a whole number from 0 to 65535');
    expect(origin.text).toContain('"localhost" is no origin');
    expect(token.text).toContain('16 characters or more');
    expect(missing).toMatchObject({ code: 2 });

    mkdirSync(join(folder, 'held'));
    writeFileSync(join(folder, 'held/lock'), JSON.stringify({ pid: process.pid }));
    const held = await fail('--dir', 'held');
    expect(held).toMatchObject({ code: 1 });
    expect(held.text).toContain(`in use by process ${process.pid}`);
    expect(JSON.parse(readFileSync(join(folder, 'held/lock'), 'utf8'))).toEqual({ pid: process.pid });
  });
});
