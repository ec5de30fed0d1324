import { afterAll, describe, expect, it } from 'vitest';
import { parsePullReply, parsePushReply, parseSyncError } from '../protocol/parse-sync-reply.ts';
import type { PushedCommit, PushReply, SyncBase } from '../protocol/sync-messages.ts';
import { createAuthor } from '../server/fixtures/author.ts';
import { checkChain } from '../server/fixtures/check-chain.ts';
import { startTestPostgres } from '../server/fixtures/test-postgres.ts';
import { pullOf, pushOf, requireParsed, start } from '../server/fixtures/test-server.ts';
import { createServeProcesses, type ServeProcess } from './fixtures/serve-process.ts';

const isFull = process.env.VARVE_LOAD === 'full';
const load = isFull
  ? { clients: 1_000, seconds: 60, storm: 20, backlog: 10_000 }
  : { clients: 60, seconds: 3, storm: 6, backlog: 1_000 };
const batch = 250;

const { createFolder, serve, end } = createServeProcesses();
const postgres = await startTestPostgres();
afterAll(async () => {
  end();
  if (typeof postgres !== 'string') await postgres.stop();
});

/** How the server answered so far. */
interface Tally {
  readonly statuses: Map<number, number>;
  readonly pushMs: number[];
}

/** Pushes until all of it is taken. Waits where the server asks for it, as a client does. */
async function push(
  server: ServeProcess,
  log: string,
  commits: readonly PushedCommit[],
  tally: Tally,
): Promise<PushReply> {
  for (;;) {
    const startedAt = performance.now();
    const response = await server.send('push', pushOf(commits, { log }));
    const body: unknown = await response.json();
    tally.pushMs.push(performance.now() - startedAt);
    tally.statuses.set(response.status, (tally.statuses.get(response.status) ?? 0) + 1);
    if (response.status === 200) return requireParsed(parsePushReply(body));
    const { error, after = 1_000 } = requireParsed(parseSyncError(body));
    if (error !== 'THROTTLED') throw new Error(`${response.status} ${error}`);
    await wait(after);
  }
}

/** Pulls page after page to the head. @returns how many events that were. */
async function pullAll(server: ServeProcess, log: string): Promise<number> {
  for (let base: SyncBase = start; ; ) {
    const response = await server.send('pull', pullOf({ log, base }));
    const body: unknown = await response.json();
    if (response.status !== 200) {
      const { error, after = 1_000 } = requireParsed(parseSyncError(body));
      if (error !== 'THROTTLED') throw new Error(`${response.status} ${error}`);
      await wait(after);
      continue;
    }
    const { commits, head } = requireParsed(parsePullReply(body));
    const last = commits.at(-1);
    if (last !== undefined) base = { epoch: '', g: last.g, oh: last.oh };
    if (base.g === head.g) return base.g;
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function percentile(values: readonly number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.floor(share * (values.length - 1))] ?? 0;
}

describe.each([
  ['PGlite', {}],
  ['PostgreSQL', typeof postgres === 'string' ? undefined : { databaseUrl: postgres.url }],
] as const)('varve serve on %s', (database, options) => {
  const expectSound = ({ statuses }: Tally) =>
    expect([...statuses.keys()].filter((status) => status !== 200 && status !== 429)).toEqual([]);

  it.skipIf(options === undefined)(
    `answers ${load.clients} clients that save an event a second`,
    { timeout: 60_000 + 2_000 * load.seconds },
    async () => {
      const server = await serve(createFolder(), [], options);
      const log = `steady-${Date.now()}`;
      await server.hello({ log });
      const tally: Tally = { statuses: new Map(), pushMs: [] };
      await Promise.all(
        Array.from({ length: load.clients }, async (_, index) => {
          const author = createAuthor(log, `client-${index}`);
          await wait((1_000 * index) / load.clients);
          for (let second = 0; second < load.seconds; second += 1) {
            const startedAt = performance.now();
            const { results } = await push(server, log, [author.commit([`own-${index}`])], tally);
            expect(results[0]?.result.type).toBe('accepted');
            await wait(Math.max(0, 1_000 - (performance.now() - startedAt)));
          }
        }),
      );
      const all = await server.readAll(log);
      expect(all).toHaveLength(load.clients * load.seconds);
      expect(checkChain(all)).toEqual([]);
      expectSound(tally);
      const p99 = percentile(tally.pushMs, 0.99);
      console.log(
        `${database}: ${tally.pushMs.length} pushes of ${load.clients} clients in ${load.seconds} s; p50 ${percentile(tally.pushMs, 0.5).toFixed(0)} ms, p99 ${p99.toFixed(0)} ms`,
      );
      // The scaled one shares its machine with other tests: it says no more than that nothing piles up.
      expect(p99).toBeLessThan(isFull ? 250 : 2_000);
      await server.kill('SIGTERM');
    },
  );

  it.skipIf(options === undefined)(
    `takes the backlog of ${load.storm} clients that come back at once`,
    { timeout: 240_000 },
    async () => {
      const server = await serve(createFolder(), [], options);
      const log = `storm-${Date.now()}`;
      await server.hello({ log });
      const tally: Tally = { statuses: new Map(), pushMs: [] };
      const authors = Array.from({ length: load.storm }, (_, index) => createAuthor(log, `client-${index}`));
      const backlogs = authors.map((author) =>
        Array.from({ length: load.backlog }, (_, index) => author.commit([`${author.client}-${index % 20}`])),
      );
      const startedAt = performance.now();
      await Promise.all(
        backlogs.map(async (commits, index) => {
          await server.hello({ log, client: authors[index]?.client ?? '' });
          for (let from = 0; from < commits.length; from += batch) {
            const { results } = await push(server, log, commits.slice(from, from + batch), tally);
            expect(results.every(({ result }) => result.type === 'accepted')).toBe(true);
          }
          await pullAll(server, log);
        }),
      );
      const seconds = (performance.now() - startedAt) / 1_000;
      const all = await server.readAll(log);
      expect(all).toHaveLength(load.storm * load.backlog);
      expect(checkChain(all)).toEqual([]);
      expectSound(tally);
      console.log(
        `${database}: ${load.storm} clients with ${load.backlog} commits each drained in ${seconds.toFixed(1)} s, throttled ${tally.statuses.get(429) ?? 0} times`,
      );
      expect(seconds).toBeLessThan(60);
      await server.kill('SIGTERM');
    },
  );
});
