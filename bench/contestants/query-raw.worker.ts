// Rows by hand: one row per key in IndexedDB, all of them in memory, sorted again at each change.
import { type AccountRow, createRows, topLength } from '../query-app.ts';
import { openDatabase, transactionDone } from './indexed-db.ts';

export type RawQueryCall =
  | { readonly name: 'fill'; readonly count: number }
  | { readonly name: 'load' }
  | { readonly name: 'top' }
  | { readonly name: 'change'; readonly key: string; readonly row: AccountRow };

export type RawQueryMessage =
  | { readonly type: 'top'; readonly rows: readonly { readonly key: string; readonly row: AccountRow }[] }
  | { readonly type: 'done'; readonly id: number };

const opening = openDatabase('raw-rows', (created) => created.createObjectStore('rows'));
const rows = new Map<string, AccountRow>();

async function answer(call: RawQueryCall): Promise<void> {
  const database = await opening;
  const readWrite = (durability: IDBTransactionDurability) =>
    database.transaction('rows', 'readwrite', { durability }).objectStore('rows');
  switch (call.name) {
    case 'fill': {
      const store = readWrite('relaxed');
      for (const [key, row] of createRows(call.count)) store.put(row, key);
      return transactionDone(store.transaction);
    }
    case 'load': {
      const store = database.transaction('rows').objectStore('rows');
      const [keys, values] = [store.getAllKeys(), store.getAll()];
      await transactionDone(store.transaction);
      for (const [at, key] of keys.result.entries()) rows.set(String(key), values.result[at]);
      return;
    }
    case 'top':
      return postTop();
    case 'change': {
      const store = readWrite('strict');
      store.put(call.row, call.key);
      await transactionDone(store.transaction);
      rows.set(call.key, call.row);
      postTop();
    }
  }
}

function postTop(): void {
  const sorted = Array.from(rows, ([key, row]) => ({ key, row }));
  sorted.sort((left, right) => right.row.balance - left.row.balance || (left.key < right.key ? 1 : -1));
  self.postMessage({ type: 'top', rows: sorted.slice(0, topLength) } satisfies RawQueryMessage);
}

addEventListener('message', ({ data: { id, call } }: MessageEvent<{ id: number; call: RawQueryCall }>) => {
  void answer(call).then(() => self.postMessage({ type: 'done', id } satisfies RawQueryMessage));
});
