import { requestResult } from './idb.ts';
import type { BesideLog } from './synced-log.ts';

/** What is kept beside the log, in the transaction of the store. */
export function createDexieBeside(pending: IDBObjectStore): BesideLog {
  return {
    get: (kind, ids) => Promise.all(ids.map((id) => requestResult<unknown>(pending.get([kind, id])))),
    list: async (kind, limit) => {
      const [keys, values] = await Promise.all([
        requestResult(pending.getAllKeys(keysOf(kind), limit)),
        requestResult<unknown[]>(pending.getAll(keysOf(kind), limit)),
      ]);
      // As they were put.
      return keys.map((key, at) => [(key as [string, string])[1], values[at]] as const);
    },
    ids: async (kind) => {
      const keys = await requestResult(pending.getAllKeys(keysOf(kind)));
      return keys.map((key) => (key as [string, string])[1]);
    },
    count: (kind) => requestResult(pending.count(keysOf(kind))),
    put: (kind, id, value) => void pending.put(value, [kind, id]),
    delete: (kind, id) => void pending.delete([kind, id]),
  };
}

function keysOf(kind: string): IDBKeyRange {
  return IDBKeyRange.bound([kind], [kind, []]);
}
