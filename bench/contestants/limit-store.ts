import { type Booking, bookingToEvent, type LedgerEvent } from '../ledger-data.ts';
import { openDatabase, requestResult, transactionDone } from './indexed-db.ts';
import { addEvents, createLedgerState, type LedgerState } from './ledger-state.ts';
import type { LedgerStore } from './ledger-store.ts';
import { readBatches } from './read-lines.ts';
import { addSegment, eventsToSegment, type Segment, segmentLength } from './segment.ts';

/** The fold, stored: rows up to `head`, in one record. */
interface Snapshot {
  /** Key of the last record of the tail that is in it. */
  readonly tail: number;
  readonly head: number;
  readonly state: LedgerState;
}

interface Waiting {
  readonly bookings: readonly Booking[];
  readonly settle: (stored: readonly LedgerEvent[] | Error) => void;
}

/**
 * How fast it can be where nothing is promised: history in columns, a tail of appended batches, a stored fold.
 *
 * No ids are looked up, no revisions kept, no positions agreed on with other tabs, nothing is checked when it is read.
 */
export async function openLimitStore(): Promise<LedgerStore> {
  const database = await openDatabase('limit-ledger', (created) => {
    created.createObjectStore('segments', { keyPath: 'first' });
    created.createObjectStore('tail', { autoIncrement: true });
    created.createObjectStore('snapshots');
  });
  const stores = ['segments', 'tail', 'snapshots'];
  let head = 0;
  let waiting: Waiting[] = [];
  let isWriting = false;

  async function addTail(state: LedgerState, tail: IDBObjectStore, after: number): Promise<void> {
    const batches: LedgerEvent[][] = await requestResult(tail.getAll(IDBKeyRange.lowerBound(after, true)));
    addEvents(state, batches.flat());
    head += batches.flat().length;
  }

  async function drain(): Promise<void> {
    isWriting = true;
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      const events = group.map(({ bookings }) => bookings.map((booking) => bookingToEvent(booking, ++head, 0)));
      try {
        const transaction = database.transaction('tail', 'readwrite', { durability: 'strict' });
        transaction.objectStore('tail').add(events.flat());
        transaction.commit();
        await transactionDone(transaction);
        for (const [index, { settle }] of group.entries()) settle(events[index] ?? []);
      } catch (error) {
        for (const { settle } of group) settle(error instanceof Error ? error : new Error(String(error)));
      }
    }
    isWriting = false;
  }

  function appendAll(bookings: readonly Booking[]): Promise<readonly LedgerEvent[]> {
    return new Promise((resolve, reject) => {
      waiting.push({ bookings, settle: (stored) => (stored instanceof Error ? reject(stored) : resolve(stored)) });
      if (!isWriting) void drain();
    });
  }

  return {
    open: async () => {
      const transaction = database.transaction(stores, 'readonly');
      const snapshot: Snapshot | undefined = await requestResult(transaction.objectStore('snapshots').get('ledger'));
      const state = snapshot?.state ?? createLedgerState();
      head = snapshot?.head ?? 0;
      await addTail(state, transaction.objectStore('tail'), snapshot?.tail ?? 0);
      return state;
    },
    rebuild: async () => {
      const state = createLedgerState();
      const transaction = database.transaction(stores, 'readonly');
      const segments = transaction.objectStore('segments');
      head = 0;
      // The next page is asked for before this one is folded.
      let next = requestResult<Segment[]>(segments.getAll(IDBKeyRange.lowerBound(0), 8));
      for (;;) {
        const page = await next;
        const last = page.at(-1);
        if (last === undefined) break;
        next = requestResult(segments.getAll(IDBKeyRange.lowerBound(last.first, true), 8));
        for (const segment of page) addSegment(state, segment);
        head = last.first + last.length - 1;
      }
      await addTail(state, transaction.objectStore('tail'), 0);
      return state;
    },
    append: async (booking) => {
      const [event] = await appendAll([booking]);
      if (event === undefined) throw new Error('A booking was stored and did not come back.');
      return event;
    },
    appendAll,
    importFile: async (file) => {
      const state = createLedgerState();
      const clearing = database.transaction(stores, 'readwrite', { durability: 'relaxed' });
      for (const store of stores) clearing.objectStore(store).clear();
      await transactionDone(clearing);
      let written: Promise<void> | undefined;
      for await (const batch of readBatches<LedgerEvent>(file, segmentLength)) {
        const segment = eventsToSegment(batch);
        addEvents(state, batch);
        head = segment.first + segment.length - 1;
        // One segment is written while the next is parsed.
        await written;
        const transaction = database.transaction('segments', 'readwrite', { durability: 'relaxed' });
        transaction.objectStore('segments').add(segment);
        written = transactionDone(transaction);
      }
      await written;
      const snapshot: Snapshot = { tail: 0, head, state };
      const last = database.transaction('snapshots', 'readwrite', { durability: 'strict' });
      last.objectStore('snapshots').put(snapshot, 'ledger');
      await transactionDone(last);
      return state;
    },
  };
}
