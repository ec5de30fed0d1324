import { describe, expect, it } from 'vitest';
import { eventLogConformance } from '../testing/event-log-conformance.ts';
import type { EventLog } from './event-log.ts';
import { createMemoryEventLog } from './memory-event-log.ts';
import { describeSyncedLog } from './synced-log.contract.ts';
import { describeSyncedModel } from './synced-model.contract.ts';

const factory = async () => {
  const log = createMemoryEventLog();
  return { log, open: async () => log.open() };
};

describe('the event log in memory', () => {
  for (const { name, run } of eventLogConformance(factory)) it(name, run);

  it('is copied with all that it has, and goes on apart from its copy', async () => {
    const log = createMemoryEventLog({ client: 'a' });
    const synced = await log.openSync();
    const append = (to: EventLog, commandId: string) =>
      to.write((transaction) =>
        transaction.append({
          commandId,
          correlationId: commandId,
          recordedAt: 1,
          events: [{ stream: 'counter-1', type: 'Counted', version: 1, data: { by: 1 } }],
          note: { of: commandId },
        }),
      );
    await append(log, 'c1');
    await synced.write(async ({ beside }) => beside.put('orphan', 'o1', { kept: true }));
    const copy = log.copy();
    await append(log, 'c2');
    await append(copy, 'c3');
    const read = async (from: EventLog) =>
      (await from.openSync()).write(async ({ readAfter, beside }) => [
        (await readAfter(0)).map(({ commit }) => [commit.commandId, commit.client, commit.clientSeq]),
        [...(await beside.list('orphan')), ...(await beside.list('note'))].map(([id]) => id),
      ]);
    expect(await read(log)).toEqual([
      [
        ['c1', 'a', 1],
        ['c2', 'a', 2],
      ],
      ['o1', 'c1', 'c2'],
    ]);
    expect(await read(copy)).toEqual([
      [
        ['c1', 'a', 1],
        ['c3', 'a', 2],
      ],
      ['o1', 'c1', 'c3'],
    ]);
  });
});

describeSyncedLog('the event log in memory that is synchronised', factory);
describeSyncedModel('the log in memory and a model of its order', factory, {
  seeds: [1, 2, 3, 4, 5, 6, 7, 8],
  steps: 60,
});
