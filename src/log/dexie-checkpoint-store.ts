import { type Checkpoint, type CheckpointStore, type Instance, isEnded } from './checkpoint-store.ts';
import { requestResult } from './idb.ts';

/** Runs in a transaction over `meta` that has looked whether the log is still the one that was opened. */
type InMeta = <Result>(mode: IDBTransactionMode, work: (meta: IDBObjectStore) => Promise<Result>) => Promise<Result>;

/**
 * Checkpoints beside the log's record, under keys of their own: `['consumer', generation, name, …]`. The generation
 * tells them from those of a log that an import has replaced.
 */
export function createDexieCheckpointStore(generation: number, inMeta: InMeta): CheckpointStore {
  return {
    load: (consumer) =>
      inMeta('readonly', (meta) => requestResult<Checkpoint | undefined>(meta.get(['consumer', generation, consumer]))),
    save: (consumer, { position, turn, instances = [] }) =>
      inMeta('readwrite', async (meta) => {
        const own = ['consumer', generation, consumer];
        const [stored, ...before] = await Promise.all([
          requestResult<Checkpoint | undefined>(meta.get(own)),
          ...instances.map(({ key }) => requestResult<Instance | undefined>(meta.get([...own, 'instance', key]))),
        ]);
        if (turn !== (stored?.turn ?? 0) + 1) return false;
        // What consumers of a log that was replaced had saved. A new generation begins with a first turn.
        if (turn === 1) meta.delete(IDBKeyRange.bound(['consumer'], ['consumer', generation], false, true));
        for (const [index, instance] of instances.entries()) {
          for (const [name, { at }] of Object.entries(before[index]?.deadlines ?? {})) {
            meta.delete([...own, 'deadline', at, instance.key, name]);
          }
          for (const [name, { at }] of Object.entries(instance.deadlines)) {
            meta.put(0, [...own, 'deadline', at, instance.key, name]);
          }
          if (isEnded(instance)) meta.delete([...own, 'instance', instance.key]);
          else meta.put(instance, [...own, 'instance', instance.key]);
        }
        meta.put({ position, turn } satisfies Checkpoint, own);
        return true;
      }),
    loadInstances: (consumer, keys) =>
      inMeta('readonly', async (meta) => {
        const own = ['consumer', generation, consumer];
        const [stored, ...instances] = await Promise.all([
          requestResult<Checkpoint | undefined>(meta.get(own)),
          ...keys.map((key) => requestResult<Instance | undefined>(meta.get([...own, 'instance', key]))),
        ]);
        return { turn: stored?.turn ?? 0, instances };
      }),
    nextDeadline: (consumer) =>
      inMeta('readonly', async (meta) => {
        const own = ['consumer', generation, consumer, 'deadline'];
        const [found] = await requestResult(meta.getAllKeys(IDBKeyRange.bound(own, [...own, []]), 1));
        if (found === undefined) return undefined;
        // As `save` wrote it.
        const [at, key, name] = (found as IDBValidKey[]).slice(own.length) as [number, string, string];
        return { key, name, at };
      }),
  };
}
