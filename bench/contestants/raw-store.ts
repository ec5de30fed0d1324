import { type Booking, bookingToChange, bookingToEvent, type LedgerEvent } from '../ledger-data.ts';
import { openDatabase, requestResult, transactionDone } from './indexed-db.ts';
import { addEvents, createLedgerState, type LedgerState } from './ledger-state.ts';
import type { LedgerStore } from './ledger-store.ts';
import { readBatches } from './read-lines.ts';

/** Rows in one transaction of an import, and in one page of a read. */
const pageLength = 5_000;

/** An event without its position: the store gives it, in the transaction, so that two tabs never take the same one. */
type NewRow = Omit<LedgerEvent, 'position'>;

/** IndexedDB as it is usually written by hand: one row per event, indexes on what is looked up. */
export async function openRawStore(): Promise<LedgerStore> {
  const database = await openDatabase('raw-ledger', (created) => {
    const events = created.createObjectStore('events', { keyPath: 'position', autoIncrement: true });
    events.createIndex('id', 'id', { unique: true });
    events.createIndex('stream', 'stream');
    events.createIndex('type', 'type');
  });
  const readOnly = () => database.transaction('events', 'readonly').objectStore('events');
  const readWrite = (durability: IDBTransactionDurability) =>
    database.transaction('events', 'readwrite', { durability }).objectStore('events');

  async function readAll(): Promise<LedgerState> {
    const state = createLedgerState();
    const events = readOnly();
    for (let from = 0; ; ) {
      const page: LedgerEvent[] = await requestResult(events.getAll(IDBKeyRange.lowerBound(from, true), pageLength));
      addEvents(state, page);
      const last = page.at(-1);
      if (last === undefined || page.length < pageLength) return state;
      from = last.position;
    }
  }

  async function appendAll(bookings: readonly Booking[]): Promise<readonly LedgerEvent[]> {
    const events = readWrite('strict');
    const rows = bookings.map(bookingToRow);
    const positions: IDBValidKey[] = [];
    for (const [index, row] of rows.entries()) {
      const adding = events.add(row);
      adding.onsuccess = () => {
        positions[index] = adding.result;
      };
    }
    await transactionDone(events.transaction);
    return rows.map((row, index) => ({ ...row, position: Number(positions[index]) }));
  }

  return {
    open: readAll,
    rebuild: readAll,
    append: async (booking) => {
      const events = readWrite('strict');
      const row = bookingToRow(booking);
      const adding = events.add(row);
      await transactionDone(events.transaction);
      return { ...row, position: Number(adding.result) };
    },
    appendAll,
    importFile: async (file) => {
      const state = createLedgerState();
      await requestResult(readWrite('relaxed').clear());
      for await (const batch of readBatches<LedgerEvent>(file, pageLength)) {
        const events = readWrite('relaxed');
        for (const event of batch) events.add(event);
        await transactionDone(events.transaction);
        addEvents(state, batch);
      }
      // A strict write flushes the ones before it.
      const last = readWrite('strict');
      const [newest] = state.newest;
      if (newest !== undefined) last.put(newest);
      await transactionDone(last.transaction);
      return state;
    },
    loadStreams: async (streams) => {
      const index = readOnly().index('stream');
      const pages = await Promise.all(streams.map((stream) => requestResult<LedgerEvent[]>(index.getAll(stream))));
      return pages.map((page) => page.reduce((sum, { type, data }) => sum + bookingToChange(type, data.amount), 0));
    },
  };
}

function bookingToRow(booking: Booking): NewRow {
  // Hand-written rows rarely know their place in the stream: it would take a read before every write.
  const { position: _given, ...row } = bookingToEvent(booking, 0, 0);
  return row;
}
