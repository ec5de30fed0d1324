import { describe, expect, it } from 'vitest';
import { failureOf, readAll } from '../testing/conformance/log-access.ts';
import { commitOf } from '../testing/conformance/sample-commits.ts';
import { type DexieEventLog, openDexieEventLog } from './dexie-event-log.ts';
import { requestResult } from './idb.ts';
import type { Segment } from './segment.ts';

const env = { now: () => 0, newId: () => crypto.randomUUID().replaceAll('-', '') };
const events = 2_000;

/** T7: a browser that loses or spoils single values, as a damaged disk makes it, is never taken for a log without them. */
export function describeLostValues(): void {
  describe('a log that lost values', () => {
    it('says which events are missing, shows those before, and writes nothing on top of a hole', async () => {
      const { name, log } = await fill();
      const [, second] = await readSegments(name);
      log.close();
      await change(name, 'segments', (store) => store.delete([1, second?.last ?? 0]));
      const again = await openDexieEventLog({ name, env });
      const seen: number[] = [];
      const failure = await failureOf(
        (async () => {
          for await (const page of again.read({})) seen.push(...page.map(({ position }) => position));
        })(),
      );
      expect(failure).toMatchObject({
        type: 'storage.damaged',
        text: expect.stringContaining(`position ${second?.first}`),
      });
      expect(seen).toEqual(Array.from({ length: (second?.first ?? 1) - 1 }, (_, index) => index + 1));
      // Every stream has events in it.
      expect(await failureOf(readAll(again, { stream: 's-1' }))).toMatchObject({ type: 'storage.damaged' });
      const deciding = again.write(async (transaction) => {
        await transaction.readStream('s-1', 0);
        return transaction.append(commitOf('later', ['s-1']));
      });
      expect(await failureOf(deciding)).toMatchObject({ type: 'storage.damaged' });
      expect(await again.head()).toBe(events);
      expect(await again.verify()).toMatchObject({ status: 'broken', position: second?.first });
      again.close();
    });

    it('takes nothing more where the newest events are gone', async () => {
      const { name, log } = await fill();
      const newest = (await readSegments(name)).at(-1);
      log.close();
      await change(name, 'segments', (store) => store.delete([1, newest?.last ?? 0]));
      const again = await openDexieEventLog({ name, env });
      expect(await failureOf(readAll(again))).toMatchObject({ type: 'storage.damaged' });
      const appending = again.write((transaction) => transaction.append(commitOf('later', ['s-1'])));
      expect(await failureOf(appending)).toMatchObject({ type: 'storage.damaged' });
      again.close();
    });

    it('makes its index again where that is gone: no command is stored twice', async () => {
      const { name, log } = await fill();
      const all = await readAll(log);
      log.close();
      await change(name, 'index', (store) => store.clear());
      const again = await openDexieEventLog({ name, env });
      const [found, revisions] = await again.write(async (transaction) => [
        await transaction.findCommit('c0'),
        await transaction.revisions(['s-1', 'none']),
      ]);
      expect(found).toEqual(all.slice(0, 2));
      expect(revisions).toEqual([events / 4 - 1, -1]);
      expect(await readAll(again, { stream: 's-2' })).toEqual(all.filter(({ stream }) => stream === 's-2'));
      // The loss itself stays to be seen.
      expect(await again.verify()).toMatchObject({ status: 'broken' });
      again.close();
    });

    it('says which events cannot be read', async () => {
      const { name, log } = await fill();
      const [, second] = await readSegments(name);
      log.close();
      for (const spoil of [new Uint8Array([0xff, 0xfe]), new TextEncoder().encode('{"index":')]) {
        const payloads = Uint8Array.from(second?.payloads ?? []);
        payloads.set(spoil, 40);
        await change(name, 'segments', (store) => store.put({ ...second, payloads }, [1, second?.last ?? 0]));
        const again = await openDexieEventLog({ name, env });
        expect(await failureOf(readAll(again))).toMatchObject({
          type: 'storage.damaged',
          text: expect.stringContaining(`from position ${second?.first} to ${second?.last}`),
        });
        again.close();
      }
    });

    it('is not started anew where only its record is gone', async () => {
      const { name, log } = await fill();
      log.close();
      await change(name, 'meta', (store) => store.clear());
      expect(await failureOf(openDexieEventLog({ name, env }))).toMatchObject({ type: 'storage.damaged' });
    });
  });
}

/** Four streams in turn, sealed but for the end. */
async function fill(): Promise<{ readonly name: string; readonly log: DexieEventLog }> {
  const name = `lost-${crypto.randomUUID()}`;
  const log = await openDexieEventLog({ name, env });
  for (let turn = 0; turn < 10; turn += 1) {
    await log.write(async (transaction) => {
      for (let index = 0; index < 100; index += 1) {
        const streams = index % 2 === 0 ? ['s-1', 's-2'] : ['s-3', 's-4'];
        await transaction.append(commitOf(`c${100 * turn + index}`, streams));
      }
    });
  }
  // Sealed 50 ms behind a write, and again as long as there is enough.
  await expect.poll(async () => (await readSegments(name)).length, { timeout: 5_000 }).toBeLessThan(9);
  return { name, log };
}

function readSegments(name: string): Promise<readonly Segment[]> {
  return inDatabase(name, (database) =>
    requestResult<Segment[]>(database.transaction('segments').objectStore('segments').getAll()),
  );
}

function change(name: string, store: string, run: (store: IDBObjectStore) => unknown): Promise<void> {
  return inDatabase(name, (database) => {
    const transaction = database.transaction(store, 'readwrite');
    run(transaction.objectStore(store));
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
  });
}

async function inDatabase<Result>(name: string, run: (database: IDBDatabase) => Promise<Result>): Promise<Result> {
  const database = await requestResult(indexedDB.open(name));
  try {
    return await run(database);
  } finally {
    database.close();
  }
}
