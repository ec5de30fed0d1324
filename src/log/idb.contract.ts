import { describe, expect, it } from 'vitest';
import { inTransaction, requestResult } from './idb.ts';
import { classifyStorageError } from './storage-error.ts';

/** What our layer over IndexedDB promises; run over fake-indexeddb in Node and in a real browser. */
export function describeIdb(): void {
  describe('a storage transaction', () => {
    it('resolves with what its work returned, once it is complete', async () => {
      const database = await openStore();
      await expect(put(database, 'a', 1)).resolves.toBe(1);
      expect(await get(database, 'a')).toBe(1);
    });

    it('rejects with what its work threw, and stores nothing', async () => {
      const database = await openStore();
      const write = change(database, async (transaction) => {
        await requestResult(transaction.objectStore('store').put(1, 'a'));
        throw new RangeError('no');
      });
      await expect(write).rejects.toThrow(RangeError);
      expect(await get(database, 'a')).toBe(undefined);
    });

    it('rejects with what it died of, not with what its work saw of it', async () => {
      const database = await openStore();
      await put(database, 'a', 1);
      const write = change(database, async (transaction) => {
        const store = transaction.objectStore('store');
        store.add(2, 'a');
        await requestResult(store.get('b'));
      });
      await expect(write).rejects.toMatchObject({ name: 'ConstraintError' });
    });

    it('says that its requests were stored where its work awaited something else', async () => {
      const database = await openStore();
      const write = change(database, async (transaction) => {
        await requestResult(transaction.objectStore('store').put(1, 'a'));
        await new Promise((resolve) => setTimeout(resolve, 50));
        throw new RangeError('seen too late');
      });
      await expect(write).rejects.toThrow('until then was stored');
      expect(await get(database, 'a')).toBe(1);
    });

    it('is aborted where a request never settles, like a lost connection', async () => {
      const database = await openStore();
      const started = performance.now();
      const write = change(database, async (transaction) => {
        const store = transaction.objectStore('store');
        store.put(1, 'a');
        hangFrom(database, store);
        await requestResult(store.get('a'));
      });
      const error: unknown = await write.catch((reason: unknown) => reason);
      expect(classifyStorageError(error)).toBe('connection-lost');
      expect(performance.now() - started).toBeLessThan(2_000);
      expect(await get(await openStore(database.name), 'a')).toBe(undefined);
    });

    it('rejects where its end is never told', async () => {
      const database = await openStore();
      const write = change(database, async (transaction) => {
        transaction.addEventListener('complete', (event) => event.stopImmediatePropagation());
        // The handler that would tell was set first: here it is lost.
        transaction.oncomplete = null;
        await requestResult(transaction.objectStore('store').put(1, 'a'));
      });
      const error: unknown = await write.catch((reason: unknown) => reason);
      expect(classifyStorageError(error)).toBe('connection-lost');
    });

    it('may take many times the limit as long as its requests settle', async () => {
      const database = await openStore();
      const started = performance.now();
      const write = change(database, async (transaction) => {
        const store = transaction.objectStore('store');
        while (performance.now() - started < 400) await requestResult(store.get('a'));
        return 'done';
      });
      await expect(write).resolves.toBe('done');
    });
  });
}

function change<Result>(
  database: IDBDatabase,
  work: (transaction: IDBTransaction) => Promise<Result>,
): Promise<Result> {
  return inTransaction(database, ['store'], 'readwrite', { durability: 'relaxed', hangMs: 100 }, work);
}

function put(database: IDBDatabase, key: string, value: number): Promise<number> {
  return change(database, async (transaction) => {
    await requestResult(transaction.objectStore('store').put(value, key));
    return value;
  });
}

function get(database: IDBDatabase, key: string): Promise<unknown> {
  return inTransaction(database, ['store'], 'readonly', { durability: 'relaxed' }, (transaction) =>
    requestResult(transaction.objectStore('store').get(key)),
  );
}

/** Nobody hears of any request of this connection any more, and the transaction does not end by itself. */
function hangFrom(database: IDBDatabase, store: IDBObjectStore): void {
  const swallow = (event: Event) => {
    event.stopImmediatePropagation();
    store.get('a');
  };
  database.addEventListener('success', swallow, true);
}

function openStore(name = `test-${crypto.randomUUID()}`): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore('store');
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
