import { expect, it } from 'vitest';
import type { PulledCommit, PushedCommit, SyncBase } from '../protocol/sync-messages.ts';
import { createAuthor } from './fixtures/author.ts';
import { checkChain } from './fixtures/check-chain.ts';
import { createTestServer, start } from './fixtures/test-server.ts';
import type { StoreFactory } from './sync-store.contract.ts';

const clients = 40;
const runMs = 2_500;

/** Clients that push, lose answers, push again and pull, for some seconds; then nothing may be lost, doubled or moved. */
export function describeLoad(name: string, { open }: StoreFactory): void {
  it(`holds what it promises on ${name} while ${clients} clients push and pull`, { timeout: 60_000 }, async () => {
    const server = createTestServer(await open());
    await server.hello();
    const sent = new Map<string, string>();
    const pushMs: number[] = [];
    const endAt = performance.now() + runMs;

    async function runClient(index: number): Promise<readonly PulledCommit[]> {
      const author = createAuthor('log-1', `client-${index}`);
      const pulled: PulledCommit[] = [];
      let base: SyncBase = start;
      const pull = async () => {
        const { commits } = await server.pull({ base, limit: 50 + index });
        pulled.push(...commits);
        const last = commits.at(-1);
        if (last !== undefined) base = { epoch: '', g: last.g, oh: last.oh };
        return commits.length > 0;
      };
      for (let round = 0; performance.now() < endAt; round += 1) {
        const commits: PushedCommit[] = Array.from({ length: 1 + ((index + round) % 3) }, () =>
          author.commit([`own-${index}`, 'shared', `of-${index % 7}`].slice(0, 1 + (round % 3))),
        );
        for (const { commit, digest } of commits) sent.set(commit.commandId, digest);
        const startedAt = performance.now();
        const results = await server.results(commits, { base });
        pushMs.push(performance.now() - startedAt);
        expect(results.every(({ type }) => type === 'accepted')).toBe(true);
        // As if the answer had been lost.
        if (round % 4 === 0) {
          const again = await server.results(commits, { base });
          expect(again.every(({ type }) => type === 'duplicate')).toBe(true);
        }
        await pull();
      }
      return pulled.concat(await finish());

      async function finish(): Promise<readonly PulledCommit[]> {
        await Promise.all(finished.slice(0, index));
        const before = pulled.length;
        while (await pull());
        return pulled.splice(before);
      }
    }

    // Each waits for those before it: the last one has seen all.
    const finished: Promise<unknown>[] = [];
    const runs = Array.from({ length: clients }, (_, index) => {
      const run = runClient(index);
      finished.push(run);
      return run;
    });
    const logs = await Promise.all(runs);
    const all = await server.readAll();
    expect(checkChain(all)).toEqual([]);
    expect(all.map(({ commit }) => commit.commandId).sort()).toEqual([...sent.keys()].sort());
    for (const log of logs) expect(log).toEqual(all.slice(0, log.length));
    expect(logs.at(-1)?.length).toBe(all.length);
    const events = all.at(-1)?.g ?? 0;
    pushMs.sort((a, b) => a - b);
    const at = (share: number) => (pushMs[Math.floor(share * (pushMs.length - 1))] ?? 0).toFixed(0);
    console.log(
      `${name}: ${pushMs.length} pushes, ${all.length} commits, ${events} events in ${runMs / 1000} s; a push took ${at(0.5)} ms (p50), ${at(0.99)} ms (p99)`,
    );
  });
}
