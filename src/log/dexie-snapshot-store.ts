import { requestResult } from './idb.ts';
import type { LogRecord } from './log-record.ts';
import type { ProjectionSnapshot, SnapshotStore, StateSnapshot } from './snapshot-store.ts';

/** Rows in one stored value: one value per row would cost fifty times as much. */
const chunkRows = 500;

interface SnapshotHead {
  readonly upTo: number;
  /** Order hash at `upTo`: the same position of another log, or of one that was set back, has another. */
  readonly order: Uint8Array;
  readonly parts: readonly Omit<ProjectionSnapshot, 'rows'>[];
}

type InSnapshots = <Result>(
  mode: IDBTransactionMode,
  work: (record: LogRecord, snapshots: IDBObjectStore, segments: IDBObjectStore) => Promise<Result>,
) => Promise<Result>;

/**
 * Snapshots beside the log: in the same database, never in the transaction of an append.
 *
 * `orderAt` tells the order hash of the log after a position, if a commit ends there.
 */
export function createDexieSnapshotStore(
  inSnapshots: InSnapshots,
  orderAt: (record: LogRecord, segments: IDBObjectStore, position: number) => Promise<Uint8Array | undefined>,
): SnapshotStore {
  return {
    saveProjections: (upTo, snapshots) =>
      inSnapshots('readwrite', async ({ head, order }, store) => {
        if (head !== upTo) return false;
        store.delete(rowsOfAll());
        for (const [part, { rows }] of snapshots.entries()) {
          for (let start = 0; start < rows.length; start += chunkRows) {
            store.put(rows.slice(start, start + chunkRows), ['rows', part, start]);
          }
        }
        const parts = snapshots.map(({ rows: _rows, ...part }) => part);
        store.put({ upTo, order, parts } satisfies SnapshotHead, ['head']);
        return true;
      }),
    loadProjections: () =>
      inSnapshots('readonly', async (record, store, segments) => {
        const saved: SnapshotHead | undefined = await requestResult(store.get(['head']));
        if (saved === undefined || saved.upTo > record.head) return undefined;
        const chunks = Promise.all(
          saved.parts.map((_, part) =>
            requestResult<ProjectionSnapshot['rows'][]>(
              store.getAll(IDBKeyRange.bound(['rows', part], ['rows', part, []])),
            ),
          ),
        );
        const order = saved.upTo === record.head ? record.order : await orderAt(record, segments, saved.upTo);
        if (order === undefined || order.some((byte, index) => byte !== saved.order[index])) {
          await chunks;
          return undefined;
        }
        const rowsByPart = await chunks;
        const snapshots = saved.parts.map((part, index) => ({ ...part, rows: (rowsByPart[index] ?? []).flat() }));
        return { upTo: saved.upTo, snapshots };
      }),
    saveStates: (states) =>
      inSnapshots('readwrite', async (_record, store) => {
        for (const state of states) store.put(state, ['state', state.stream]);
      }),
    loadStates: (streams) =>
      inSnapshots('readonly', (_record, store) =>
        Promise.all(streams.map((stream) => requestResult<StateSnapshot | undefined>(store.get(['state', stream])))),
      ),
    clear: () =>
      inSnapshots('readwrite', async (_record, store) => {
        const count = await requestResult(store.count());
        if (count > 0) store.clear();
        return count > 0;
      }),
  };
}

function rowsOfAll(): IDBKeyRange {
  return IDBKeyRange.bound(['rows'], ['rows', []]);
}
