import { describe, expect, it } from 'vitest';
import { FailureError } from '../core/errors.ts';
import type { RecordedEvent } from '../core/events.ts';
import { createRandom } from '../testing/random.ts';
import { type DexieEventLog, openDexieEventLog } from './dexie-event-log.ts';
import type { NewCommit } from './event-log.ts';
import { exportLog } from './export-log.ts';
import { requestResult } from './idb.ts';
import { importLog } from './import-log.ts';
import { type FaultKind, faultKinds, patchStorage } from './storage-faults.contract.ts';

const env = { now: () => 0, newId: () => crypto.randomUUID().replaceAll('-', '') };
const open = (name = `transfer-${crypto.randomUUID()}`) =>
  openDexieEventLog({ name, env }).then((log) => ({ name, log }));

export function describeExportImport(): void {
  describe('an exported log', () => {
    it('is imported as it was, and goes on', async () => {
      const { log } = await open();
      await fill(log, 60);
      const file = await toFile(log);
      const { log: other, name } = await open();
      const events = await readAll(log);
      expect(await importText(other, file)).toEqual({ logId: log.logId, commits: 61, events: events.length });
      // Who had it open learns that it is another log now.
      await expect(other.head()).rejects.toMatchObject({ failure: { type: 'storage.replaced' } });
      const { log: again } = await open(name);
      expect(again.logId).toBe(log.logId);
      expect(await readAll(again)).toEqual(events);
      expect(await again.verify()).toEqual({ status: 'verified', events: events.length });
      expect(await again.revisions(['a-1', 'a-2'])).toEqual(await log.revisions(['a-1', 'a-2']));
      const seventh = await commitEvents(log, 'c7');
      await again.write(async (transaction) => {
        expect(await transaction.findCommit('c7')).toEqual(seventh);
        await transaction.append(commit('after', 3));
      });
      expect(await again.verify()).toEqual({ status: 'verified', events: events.length + 3 });
      expect(await toFile(again)).toContain('"clientSeq":1,"commandId":"after"');
      log.close();
      other.close();
      again.close();
    });

    it('takes the place of what was there, and leaves nothing of it', async () => {
      const { log } = await open();
      await fill(log, 20);
      const { log: other, name } = await open();
      await fill(other, 40);
      const saved = { projection: 'p', signature: 's', upTo: await other.head(), isComplete: true, rows: [] };
      expect(await other.snapshots.saveProjections([saved])).toBe(true);
      await importText(other, await toFile(log));
      other.close();
      const { log: again } = await open(name);
      expect(await readAll(again)).toEqual(await readAll(log));
      expect(await again.snapshots.loadProjections()).toEqual([]);
      expect(await countStored(name)).toEqual(await countOf(again));
      again.close();
      log.close();
    });

    it('starts without the checkpoints of the log that it takes the place of, and leaves nothing of them', async () => {
      const { log } = await open();
      await fill(log, 5);
      const { log: other, name } = await open();
      const old = await other.openCheckpoints();
      const deadlines = { later: { at: 5, causationId: 'c', correlationId: 'c' } };
      expect(await old.save('payment', { turn: 1, position: 3, instances: [{ key: 'a', state: 1, deadlines }] })).toBe(
        true,
      );
      await importText(other, await toFile(log));
      await expect(old.load('payment')).rejects.toMatchObject({ failure: { type: 'storage.replaced' } });
      await expect(old.save('payment', { turn: 2, position: 4 })).rejects.toMatchObject({
        failure: { type: 'storage.replaced' },
      });
      const { log: again } = await open(name);
      const store = await again.openCheckpoints();
      expect(await store.load('payment')).toBeUndefined();
      expect(await store.loadInstances('payment', ['a'])).toEqual({ turn: 0, instances: [undefined] });
      expect(await store.nextDeadline('payment')).toBeUndefined();
      expect(await store.save('payment', { turn: 1, position: 5 })).toBe(true);
      expect(await countKeys(name)).toBe(2);
      for (const each of [log, other, again]) each.close();
    });

    it('is refused where anything in it was changed, and nothing is left behind', async () => {
      const { log } = await open();
      await fill(log, 30);
      const file = await toFile(log);
      const lines = file.split('\n').slice(0, -1);
      const { log: other, name } = await open();
      await fill(other, 5);
      const before = await countStored(name);
      const random = createRandom(11);
      const pick = () => Math.floor(random() * lines.length);
      const broken: string[] = [
        '',
        '{"varve":"log"}\n',
        lines.slice(0, -1).join('\n'),
        lines.slice(1).join('\n'),
        file.replace('"app":"test"', '"app":"other"'),
        file.replace('"format":1', '"format":2'),
        `${file}${lines[1]}\n`,
        file.replace('"index":0', '"index":1e400'),
        file.replace('"index":0', '"index":1'),
        file.replace('"index":0', '"__proto__":0'),
        `${'['.repeat(100_000)}\n`,
      ];
      for (let turn = 0; turn < 40; turn += 1) {
        const changed = [...lines];
        const [from, to] = [pick(), pick()];
        if (turn % 4 === 0 && from !== to) changed.splice(to, 0, ...changed.splice(from, 1));
        else if (turn % 4 === 1) changed.splice(from, 1);
        else {
          const line = changed[from] ?? '';
          const at = Math.floor(random() * line.length);
          changed[from] = `${line.slice(0, at)}${line[at] === '7' ? '8' : '7'}${line.slice(at + 1)}`;
        }
        broken.push(`${changed.join('\n')}\n`);
      }
      for (const [turn, text] of broken.entries()) {
        const about = `file ${turn}`;
        const failure = await importText(other, text).catch((error: unknown) => error);
        expect(failure, about).toMatchObject({ failure: { type: 'import.refused' } });
        expect(await countStored(name), about).toEqual(before);
      }
      expect((await readAll(other)).length).toBe(await other.head());
      log.close();
      other.close();
    });

    it('leaves nothing behind where the import is cancelled or was killed', async () => {
      const { log } = await open();
      await fill(log, 20, 2_000);
      const file = await toFile(log);
      const { log: other, name } = await open();
      await fill(other, 5);
      const before = await countStored(name);
      let pieces = 0;
      const cancelled = importLog(toStream(file), await other.stage({ importId: crypto.randomUUID(), replace: true }), {
        app: 'test',
        isCancelled: () => {
          pieces += 1;
          return pieces > 3;
        },
      });
      await expect(cancelled).rejects.toMatchObject({ failure: { type: 'engine.cancelled' } });
      expect(await countStored(name)).toEqual(before);
      // Killed: staged, and never swapped in nor discarded. The next import clears it away.
      const staging = await other.stage({ importId: crypto.randomUUID(), replace: true });
      const [first] = await stagedCommits(log);
      if (first !== undefined) await staging.append([first]);
      await importText(other, file);
      other.close();
      const { log: again } = await open(name);
      expect(await readAll(again)).toEqual(await readAll(log));
      expect(await again.verify()).toMatchObject({ status: 'verified' });
      again.close();
      log.close();
    });

    it('takes the place of nothing that was saved while it was read', async () => {
      const { log } = await open();
      await fill(log, 20);
      const file = await toFile(log);
      for (const replace of [false, true]) {
        const { log: other, name } = await open();
        if (replace) await fill(other, 5);
        const staging = await other.stage({ importId: crypto.randomUUID(), replace });
        const before = await countStored(name);
        await other.write((transaction) => transaction.append(commit('meanwhile', 2)));
        await expect(importLog(toStream(file), staging, { app: 'test' })).rejects.toMatchObject({
          failure: { type: 'import.refused', text: expect.stringContaining('something was saved here') },
        });
        expect(await commitEvents(other, 'meanwhile')).toHaveLength(2);
        expect(await other.verify()).toMatchObject({ status: 'verified' });
        expect(await countKeys(name)).toBe(1);
        expect((await countStored(name))[0]).toBe((before[0] ?? 0) + 1);
        other.close();
      }
      log.close();
    });

    it('is imported whole or not at all, as it says, wherever the storage fails', { timeout: 120_000 }, async () => {
      const { log } = await open();
      await fill(log, 6, 40);
      const file = await toFile(log);
      const storage = patchStorage();
      const outcomes = new Set<string>();
      try {
        for (const kind of Object.keys(faultKinds) as FaultKind[]) {
          // Every operation of an import, one after the other; of the many requests some.
          const step = faultKinds[kind] === 'request' ? 3 : 1;
          for (let n = 1, isHit = true; isHit; n += step) {
            const name = `faulty-${crypto.randomUUID()}`;
            const target = await openDexieEventLog({ name, env, hangMs: 60 });
            await target.write((transaction) => transaction.append(commit('before', 3)));
            const before = await readAll(target);
            const fault = storage.inject(name, { kind, n });
            const outcome = await importText(target, file).then(
              () => 'imported',
              (error: unknown) => (error instanceof FailureError ? error.failure.type : String(error)),
            );
            isHit = fault.hits > 0;
            fault.remove();
            target.close();
            outcomes.add(outcome);
            const { log: again } = await open(name);
            const about = `${kind}:${n} ${outcome}`;
            expect(await readAll(again), about).toEqual(outcome === 'imported' ? await readAll(log) : before);
            // And nothing is left of it after the next.
            expect(await importText(again, file), about).toMatchObject({ logId: log.logId });
            expect([...(await countStored(name)), await countKeys(name)], about).toEqual([1, 1, 0, 1]);
            again.close();
          }
        }
      } finally {
        storage.restore();
      }
      expect([...outcomes].sort()).toEqual(['imported', 'storage.failed', 'storage.quota-exceeded']);
      log.close();
    });

    it('is refused where the log holds events, unless that is to be replaced', async () => {
      const { log } = await open();
      await fill(log, 5);
      const { log: other } = await open();
      await fill(other, 1);
      await expect(other.stage({ importId: crypto.randomUUID(), replace: false })).rejects.toMatchObject({
        failure: { type: 'import.refused', text: expect.stringContaining('already holds events') },
      });
      for (const each of [log, other]) each.close();
    });

    it('gives way to another import that began later, and does not mix with it', async () => {
      const { log } = await open();
      await fill(log, 300, 2_000);
      const { log: second } = await open();
      await fill(second, 20);
      const { log: other, name } = await open();
      const { log: otherTab } = await open(name);
      const [early, ...rest] = await stagedCommits(log);
      const overtaken = await other.stage({ importId: crypto.randomUUID(), replace: false });
      if (early !== undefined) await overtaken.append([early]);
      const later = await otherTab.stage({ importId: crypto.randomUUID(), replace: false });
      await overtaken.append(rest);
      await expect(overtaken.swapIn(log.logId)).rejects.toMatchObject({
        failure: { type: 'import.refused', text: expect.stringContaining('another import began') },
      });
      await overtaken.discard();
      await importLog(toStream(await toFile(second)), later, { app: 'test' });
      await expect(other.stage({ importId: crypto.randomUUID(), replace: true })).rejects.toMatchObject({
        failure: { type: 'storage.replaced' },
      });
      const { log: again } = await open(name);
      expect(await readAll(again)).toEqual(await readAll(second));
      expect(await again.verify()).toMatchObject({ status: 'verified' });
      expect(await countStored(name)).toEqual(await countOf(again));
      expect(await countKeys(name)).toBe(1);
      for (const each of [log, second, other, otherTab, again]) each.close();
    });
  });
}

async function stagedCommits(log: DexieEventLog) {
  const commits: import('./pack-commits.ts').LinkedCommit[] = [];
  const staging = {
    append: async (batch: readonly import('./pack-commits.ts').LinkedCommit[]) => void commits.push(...batch),
    swapIn: async () => undefined,
    discard: async () => undefined,
  };
  await importLog(toStream(await toFile(log)), staging, { app: 'test' });
  return commits;
}

async function fill(log: DexieEventLog, commits: number, long = 700): Promise<void> {
  for (let index = 0; index < commits; index += 1) {
    await log.write((transaction) => transaction.append(commit(`c${index}`, 1 + (index % 4))));
  }
  await log.write((transaction) => transaction.append(commit('long', long)));
}

function commit(commandId: string, events: number): NewCommit {
  return {
    commandId,
    correlationId: 'root',
    recordedAt: 1_700_000_000_000,
    events: Array.from({ length: events }, (_, index) => ({
      stream: `a-${index % 3}`,
      type: 'Counted',
      version: 1,
      data: { index, '10': 'ž', '9': ['\u2028\n'] },
      tags: ['t:1'],
    })),
  };
}

async function toFile(log: DexieEventLog): Promise<string> {
  let text = '';
  for await (const piece of exportLog(log, 'test')) text += piece;
  return text;
}

function toStream(text: string): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  // Pieces that end anywhere, also within a character.
  return new ReadableStream({
    pull: (controller) => {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at + 4_099));
      at += 4_099;
    },
  });
}

async function importText(log: DexieEventLog, text: string) {
  return importLog(toStream(text), await log.stage({ importId: crypto.randomUUID(), replace: true }), { app: 'test' });
}

async function readAll(log: DexieEventLog): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const page of log.read({})) events.push(...page);
  return events;
}

async function commitEvents(log: DexieEventLog, commandId: string) {
  return (await readAll(log)).filter(({ meta }) => meta.commandId === commandId);
}

/** Numbers of stored values: what an import must not leave behind. */
async function countStored(name: string): Promise<readonly number[]> {
  const database = await requestResult(indexedDB.open(name));
  const transaction = database.transaction(['segments', 'index', 'snapshots']);
  const counts = await Promise.all(
    ['segments', 'index', 'snapshots'].map((store) => requestResult(transaction.objectStore(store).count())),
  );
  database.close();
  return counts;
}

/** Number of what stands in the `meta` store: the record, and what else is kept beside it. */
async function countKeys(name: string): Promise<number> {
  const database = await requestResult(indexedDB.open(name));
  const count = await requestResult(database.transaction('meta').objectStore('meta').count());
  database.close();
  return count;
}

/** What a log of its length has at least and at most: everything sealed, in one index block. */
async function countOf(log: DexieEventLog): Promise<readonly number[]> {
  const segments = Math.ceil((await log.head()) / 512) + 1;
  return [segments, 1, 0];
}
