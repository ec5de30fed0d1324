import { requestResult } from './idb.ts';
import { type LogRecord, rebasesOf } from './log-record.ts';
import type { ProjectionSnapshot, SnapshotStore, StateSnapshot } from './snapshot-store.ts';

/** Rows in one stored value: one value per row would cost fifty times as much. */
const chunkRows = 500;

/** Stands under `['head', projection, signature]`, its rows under `['rows', projection, signature, start]`. */
interface SnapshotHead extends Omit<ProjectionSnapshot, 'rows'> {
  /** Order hash at `upTo`: the same position of another log, or of one that was set back, has another. */
  readonly order: Uint8Array;
}

type InSnapshots = <Result>(
  mode: IDBTransactionMode,
  work: (record: LogRecord, snapshots: IDBObjectStore, segments: IDBObjectStore) => Promise<Result>,
) => Promise<Result>;

/**
 * Snapshots beside the log: in the same database, never in the transaction of an append.
 *
 * `orderAt` tells the order hash of the log after a position, if a commit ends there; `noticedRebases` the order that
 * rows and states are of which somebody brings.
 */
export function createDexieSnapshotStore(
  inSnapshots: InSnapshots,
  orderAt: (record: LogRecord, segments: IDBObjectStore, position: number) => Promise<Uint8Array | undefined>,
  noticedRebases: () => number,
): SnapshotStore {
  /** Undefined where the log ends before, or in the middle of a commit. */
  const orderOf = async (record: LogRecord, segments: IDBObjectStore, position: number) => {
    if (position > record.head) return undefined;
    return position === record.head ? record.order : orderAt(record, segments, position);
  };

  return {
    saveProjections: (snapshots) => {
      const known = noticedRebases();
      return inSnapshots('readwrite', async (record, store, segments) => {
        // The rows are those of the call: what was put into another order since has the hash of other commits there.
        if (rebasesOf(record) !== known) return false;
        const orders = await Promise.all(snapshots.map(({ upTo }) => orderOf(record, segments, upTo)));
        const heads = snapshots.flatMap(({ rows: _rows, ...head }, index) => {
          const order = orders[index];
          return order === undefined ? [] : [{ ...head, order } satisfies SnapshotHead];
        });
        if (heads.length < snapshots.length) return false;
        for (const { projection, signature, isComplete } of snapshots) {
          const replaced = isComplete ? [projection] : [projection, signature];
          for (const kind of ['head', 'rows']) store.delete(keysUnder(kind, ...replaced));
        }
        for (const head of heads) store.put(head, ['head', head.projection, head.signature]);
        for (const { projection, signature, rows } of snapshots) {
          for (let start = 0; start < rows.length; start += chunkRows) {
            store.put(rows.slice(start, start + chunkRows), ['rows', projection, signature, start]);
          }
        }
        return true;
      });
    },
    loadProjections: () =>
      inSnapshots('readonly', async (record, store, segments) => {
        const heads = await requestResult<SnapshotHead[]>(store.getAll(keysUnder('head')));
        const loaded = await Promise.all(
          heads.map(async ({ order: saved, ...head }) => {
            const chunks = requestResult<ProjectionSnapshot['rows'][]>(
              store.getAll(keysUnder('rows', head.projection, head.signature)),
            );
            const order = await orderOf(record, segments, head.upTo);
            const rows = (await chunks).flat();
            return order?.every((byte, index) => byte === saved[index]) ? [{ ...head, rows }] : [];
          }),
        );
        return loaded.flat();
      }),
    saveStates: (states) => {
      const known = noticedRebases();
      return inSnapshots('readwrite', async (record, store) => {
        if (rebasesOf(record) !== known) return;
        for (const state of states) store.put(state, ['state', state.stream]);
      });
    },
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

function keysUnder(...prefix: readonly string[]): IDBKeyRange {
  return IDBKeyRange.bound([...prefix], [...prefix, []]);
}
