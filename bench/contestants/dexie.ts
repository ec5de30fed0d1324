import { Dexie, type EntityTable, liveQuery } from 'dexie';
import { bookingToEvent, type LedgerEvent } from '../ledger-data.ts';
import type { Contestant } from './contestant.ts';
import { addEvents, createLedgerState, type LedgerState } from './ledger-state.ts';
import { createLedgerViewStore } from './ledger-view-store.ts';
import { readBatches } from './read-lines.ts';

/** Dexie as its tutorial shows it: on the page, one row per event, and a live query that folds them. */
export function createDexieContestant(): Contestant {
  // The durability that the other contestants have by default.
  const database = new Dexie('dexie-ledger', { chromeTransactionDurability: 'strict' }) as Dexie & {
    events: EntityTable<LedgerEvent, 'position'>;
  };
  database.version(1).stores({ events: '++position, &id, stream, type' });
  const { events } = database;
  const view = createLedgerViewStore();

  async function fold(): Promise<LedgerState> {
    const state = createLedgerState();
    addEvents(state, await events.toArray());
    return state;
  }

  liveQuery(fold).subscribe((state) => view.show(state));

  return {
    name: 'dexie',
    hooks: view.hooks,
    balances: view.balances,
    append: async (booking) => {
      const { position: _given, ...row } = bookingToEvent(booking, 0, 0);
      await events.add(row);
    },
    importFile: async (file) => {
      // Read before the transaction: it would end while the file is awaited.
      const batches: LedgerEvent[][] = [];
      for await (const batch of readBatches<LedgerEvent>(file, 5_000)) batches.push(batch);
      await database.transaction('rw', events, async () => {
        await events.clear();
        for (const batch of batches) await events.bulkAdd(batch);
      });
    },
    rebuild: async () => view.show(await fold()),
  };
}
