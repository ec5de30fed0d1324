import 'fake-indexeddb/auto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { append, appendAll, readAllCommits } from '../testing/conformance/log-access.ts';
import { commitOf, range } from '../testing/conformance/sample-commits.ts';
import { openDexieEventLog } from './dexie-event-log.ts';
import type { EventLog } from './event-log.ts';
import { exportLog } from './export-log.ts';
import { createMemoryEventLog } from './memory-event-log.ts';
import { createAuthor, pull } from './synced-log.contract.ts';
import type { SyncedLog } from './synced-log.ts';

const env = { now: () => 0, newId: () => crypto.randomUUID().replaceAll('-', '') };

async function openStored(name = `test-${crypto.randomUUID()}`, maxEventBytes?: number) {
  const log = await openDexieEventLog({ name, env, ...(maxEventBytes === undefined ? {} : { maxEventBytes }) });
  onTestFinished(() => log.close());
  return log;
}

/** A log of confirmed and then of pending commits, one event each. */
async function fill(log: EventLog, confirmed: number, pending: number): Promise<SyncedLog> {
  const synced = await log.openSync();
  await appendAll(
    log,
    range(1, confirmed).map((index) => commitOf(`c${index}`, [`a-${index}`])),
  );
  await synced.write(async (transaction) => transaction.setBase({ epoch: 'e', ...transaction.end }));
  await appendAll(
    log,
    range(1, pending).map((index) => commitOf(`p${index}`, [`b-${index}`])),
  );
  return synced;
}

const logs: readonly (readonly [string, () => EventLog | Promise<EventLog>])[] = [
  ['in memory', () => createMemoryEventLog({ logId: 'log-1', client: 'c' })],
  ['in IndexedDB', () => openStored()],
];

describe.each(logs)('a log %s that sync puts into another order', (_name, open) => {
  it('is exported whole, in one order', { timeout: 20_000 }, async () => {
    const log = await open();
    const synced = await fill(log, 3_000, 1_000);
    const author = createAuthor(log.logId, 'ann');
    let text = '';
    let pulled = 0;
    for await (const piece of exportLog(log, 'app')) {
      text += piece;
      if (pulled < 3) await pull(synced, [author.write(`x${pulled}`, ['c-1'])]);
      pulled += 1;
    }
    const lines = text.trim().split('\n').slice(1);
    const { end } = JSON.parse(lines.pop() ?? '');
    expect(end.head).toBe(lines.length);
    expect(end.head).toBeGreaterThanOrEqual(4_000);
    const stored = (await readAllCommits(log)).map(({ commandId }) => commandId);
    expect(lines.map((line) => JSON.parse(line).commit.commandId)).toEqual(
      stored.filter((id) => text.includes(`"${id}"`)),
    );
  });

  it('is not exported as whole where the server itself went back', async () => {
    const log = await open();
    const synced = await fill(log, 3_000, 0);
    const pieces = exportLog(log, 'app');
    for (let piece = 0; piece < 3; piece += 1) await pieces.next();
    await synced.write(async (transaction) => {
      await transaction.cutAfter(0);
      transaction.setBase({ epoch: 'e', ...transaction.end });
    });
    const drain = async () => {
      for (let next = await pieces.next(); !next.done; ) next = await pieces.next();
    };
    await expect(drain()).rejects.toMatchObject({ failure: { type: 'storage.failed' } });
  });
});

describe('a log in IndexedDB that sync puts into another order', () => {
  it('saves no rows of the order before as those of the new one', async () => {
    const log = await openStored();
    const synced = await log.openSync();
    await append(log, commitOf('c1', ['a-1']));
    const pulled = pull(synced, [createAuthor(log.logId, 'ann').write('x1', ['b-1'])]);
    const snapshot = { projection: 'p', signature: 's', upTo: 1, isComplete: true, rows: [['a-1', 'of c1']] } as const;
    expect(await log.snapshots.saveProjections([snapshot])).toBe(false);
    await pulled;
    expect(await log.snapshots.loadProjections()).toEqual([]);
  });

  it('keeps a commit that is larger than this build takes', async () => {
    const name = `test-${crypto.randomUUID()}`;
    const before = await openStored(name, 200_000);
    await before.openSync();
    const events = [{ stream: 'a-1', type: 'Noted', version: 1, data: { text: 'x'.repeat(100_000) } }];
    await append(before, { commandId: 'c1', correlationId: 'c1', recordedAt: 1, events });
    const log = await openStored(name);
    await pull(await log.openSync(), [createAuthor(log.logId, 'ann').write('x1', ['b-1'])]);
    expect((await readAllCommits(log)).map(({ commandId }) => commandId)).toEqual(['x1', 'c1']);
  });
});
