import { describe, expect, it } from 'vitest';
import { createMemoryEventLog } from '../../log/memory-event-log.ts';
import type { PushedId } from '../../protocol/sync-host.ts';
import { defaultLimits } from '../../server/server-limits.ts';
import { bankApp } from '../../testing/fixtures/bank-app.ts';
import { createTestEnv } from '../../testing/in-process-worker.ts';
import { createSyncHost } from './sync-host.ts';

async function createHost() {
  const log = createMemoryEventLog({ logId: 'log-1', client: 'a' });
  const env = createTestEnv();
  const host = createSyncHost({
    app: bankApp,
    env,
    log,
    synced: await log.openSync(),
    syncEnv: { now: env.now, random: () => 0, callLater: () => () => undefined },
    createDecideAcross: undefined,
    exclusively: (work, signal) => work(signal),
    onReport: () => undefined,
    onMoved: () => undefined,
    beforeGoBack: async () => undefined,
  });
  const save = (commandId: string) =>
    log.write((transaction) =>
      transaction.append({
        commandId,
        correlationId: commandId,
        recordedAt: 1,
        events: [{ stream: 'account-ada', type: 'Deposited', version: 1, data: { amount: 1 } }],
      }),
    );
  const offered = async (isAcknowledged: (id: PushedId) => boolean) =>
    (await host.readPush({ limits: defaultLimits, principal: '', isAcknowledged })).commits.map(
      ({ commit }) => commit.commandId,
    );
  return { host, save, offered };
}

describe('what is offered to a server', () => {
  it('leaves out what was answered, and offers it again when the answer no longer counts', async () => {
    const { host, save, offered } = await createHost();
    for (const id of ['c1', 'c2', 'c3']) await save(id);
    const { commits } = await host.readPush({ limits: defaultLimits, principal: '', isAcknowledged: () => false });
    const answered = commits.slice(0, 2).map(({ commit, digest }) => ({ commandId: commit.commandId, digest }));
    host.noteAcknowledged(answered);
    const isAcknowledged = ({ commandId }: PushedId) => answered.some((id) => id.commandId === commandId);
    expect(await offered(isAcknowledged)).toEqual(['c3']);
    await save('c4');
    expect(await offered(isAcknowledged)).toEqual(['c3', 'c4']);
    // A server that was restored has lost what it had answered.
    expect(await offered(() => false)).toEqual(['c1', 'c2', 'c3', 'c4']);
  });
});
