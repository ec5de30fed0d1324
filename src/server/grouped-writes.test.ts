import { expect, it } from 'vitest';
import type { SyncGuard } from '../protocol/sync-messages.ts';
import { createAuthor } from './fixtures/author.ts';
import { pushOf } from './fixtures/test-server.ts';
import { createGroupedWrites, type WaitingRoom } from './grouped-writes.ts';
import { createMemorySyncStore } from './memory-sync-store.ts';
import { checkPush, pushCommits } from './push-commits.ts';
import { defaultLimits } from './server-limits.ts';

/** Eight that push at once to a database that takes one transaction at a time, and may refuse it or what it is asked. */
async function pushAtOnce({
  logId = 'log-1',
  guard = {},
  refuse,
  refuseRead,
  room = { maxWaiting: 100 },
  beforeEach = async () => undefined,
}: {
  readonly logId?: string;
  readonly guard?: SyncGuard;
  readonly refuse?: (clients: readonly string[]) => Error | undefined;
  readonly refuseRead?: (client: string) => Error | undefined;
  readonly room?: WaitingRoom;
  readonly beforeEach?: () => Promise<void>;
}) {
  const store = createMemorySyncStore();
  await store.createLog('log-1', 'bank');
  const groups: (readonly string[])[] = [];
  const write = createGroupedWrites(
    (log, looks, work) =>
      store.write(log, async (stored) => {
        const clients = looks.map(({ client }) => client);
        groups.push(clients);
        let aborted: Error | undefined;
        const result = await work({
          ...stored,
          store: stored.append,
          clientLast: async (client) => {
            // As PostgreSQL does: after one error it takes nothing more in the transaction.
            if (aborted !== undefined) throw codedError('25P02');
            aborted = refuseRead?.(client);
            if (aborted !== undefined) throw aborted;
            return stored.clientLast(client);
          },
        });
        const error = aborted ?? refuse?.(clients);
        if (error !== undefined) throw error;
        return result;
      }),
    room,
  );
  const outcomes = await Promise.allSettled(
    Array.from({ length: 8 }, (_, index) => {
      const client = `c${index}`;
      const push = checkPush(pushOf([createAuthor('log-1', client).commit(['s'], { guard })]), defaultLimits);
      const context = { actor: { id: 'ada' }, mayPush: () => 'allow' as const, limits: defaultLimits, now: 0 };
      return write(
        logId,
        async (transaction) => {
          await beforeEach();
          return pushCommits(transaction, push, context);
        },
        push.look,
      );
    }),
  );
  const stored = await store.readCommits('log-1', 0, { events: 1e6, bytes: 1e9 });
  return { groups, statuses: outcomes.map(({ status }) => status), outcomes, stored };
}

function codedError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

const all = ['c0', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7'];

it('writes that come at once share a transaction', async () => {
  const { groups, stored, outcomes } = await pushAtOnce({});
  expect(groups).toEqual([all]);
  expect(stored.map(({ g }) => g)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(outcomes.map((outcome) => outcome.status === 'fulfilled' && outcome.value?.type)).toEqual(
    all.map(() => 'pushed'),
  );
});

it('a write that the database does not take is in nobody’s way', async () => {
  const refuse = (clients: readonly string[]) => (clients.includes('c3') ? new Error('no such text') : undefined);
  const { groups, statuses, stored } = await pushAtOnce({ refuse });
  expect(statuses).toEqual(all.map((client) => (client === 'c3' ? 'rejected' : 'fulfilled')));
  expect(stored).toHaveLength(7);
  expect(groups).toEqual([all, ...all.map((client) => [client])]);
});

it('a write for which the database fails is in nobody’s way, also where the others may be tried again', async () => {
  for (const code of ['22003', '57014', '40001']) {
    const refuseRead = (client: string) => (client === 'c3' ? codedError(code) : undefined);
    const { groups, outcomes, stored } = await pushAtOnce({ refuseRead });
    const codes = outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.code);
    expect(codes).toEqual(all.map((client) => client === 'c3' && code));
    expect(stored).toHaveLength(7);
    expect(groups).toEqual([all, all.filter((client) => client !== 'c3')]);
  }
});

it('a database that cannot be reached is not asked once for each of them', async () => {
  const lost = codedError('ECONNRESET');
  const { groups, statuses, stored } = await pushAtOnce({
    refuse: (clients) => (clients.length > 1 ? lost : undefined),
  });
  expect(statuses).toEqual(all.map(() => 'rejected'));
  expect([groups.length, stored.length]).toEqual([1, 0]);
});

it('a log that is not there is told to all', async () => {
  const { outcomes } = await pushAtOnce({ logId: 'log-2' });
  expect(outcomes).toEqual(all.map(() => ({ status: 'fulfilled', value: undefined })));
});

it('rules that take their time hold the log no longer than a tenth of a second at a time', async () => {
  const { groups, statuses, stored } = await pushAtOnce({
    beforeEach: () => new Promise((resolve) => setTimeout(resolve, 110)),
  });
  expect(new Set(statuses)).toEqual(new Set(['fulfilled']));
  expect(stored).toHaveLength(8);
  expect(groups).toEqual(all.map((_, index) => all.slice(index)));
});

it('a guard takes its room too', async () => {
  const revisions = [{ stream: 'x'.repeat(400_000), revision: -1 }];
  const { groups, stored } = await pushAtOnce({ guard: { revisions } });
  expect(groups).toEqual([all.slice(0, 3), all.slice(3, 6), all.slice(6)]);
  expect(stored).toHaveLength(8);
});

it('a log for which too many wait takes no more of them for now', async () => {
  const { outcomes, statuses, stored } = await pushAtOnce({ room: { maxWaiting: 5 } });
  expect(statuses).toEqual(all.map((_, index) => (index < 5 ? 'fulfilled' : 'rejected')));
  expect(outcomes[5]).toMatchObject({ reason: { reply: { error: 'UNAVAILABLE', after: 2_000 } } });
  expect(stored).toHaveLength(5);
});

it('commits that wait, of whatever log, take so much memory and no more', async () => {
  const revisions = [{ stream: 'x'.repeat(400_000), revision: -1 }];
  const { outcomes, statuses, stored } = await pushAtOnce({ guard: { revisions }, room: { maxBytes: 4_000_000 } });
  expect(statuses).toEqual(all.map((_, index) => (index < 3 ? 'fulfilled' : 'rejected')));
  expect(outcomes[3]).toMatchObject({ reason: { reply: { error: 'UNAVAILABLE', after: 2_000 } } });
  expect(stored).toHaveLength(3);
});

it('what was pushed makes room for more', async () => {
  const store = createMemorySyncStore();
  await store.createLog('log-1', 'bank');
  const write = createGroupedWrites(
    (log, _looks, work) => store.write(log, (stored) => work({ ...stored, store: stored.append })),
    { maxBytes: 1_000 },
  );
  const push = checkPush(pushOf([createAuthor('log-1', 'c1').commit(['s'])]), defaultLimits);
  for (let round = 0; round < 10; round += 1) {
    // Also where it fails.
    const work = async () => (round % 2 === 0 ? round : Promise.reject(new Error('no')));
    await expect(write('log-1', work, push.look).catch(() => round)).resolves.toBe(round);
  }
  await expect(write('log-2', async () => 1, push.look)).resolves.toBeUndefined();
});
