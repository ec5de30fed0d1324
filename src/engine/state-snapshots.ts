import type { App } from '../core/app.ts';
import { streamIdToAggregate } from '../core/stream-id.ts';
import type { SnapshotStore } from '../log/snapshot-store.ts';
import type { StreamCache, StreamState } from './stream-cache.ts';

/** Saved states of long streams, for the aggregates that ask for them. */
export interface StateSnapshots {
  /** Puts saved states into the cache, where it has none: before the transaction, which cannot wait for them. */
  load(streams: readonly string[]): Promise<void>;
  /** Saves the states that have come far enough since they were saved last. */
  save(states: ReadonlyMap<string, StreamState>): void;
}

export function createStateSnapshots(app: App, store: SnapshotStore, cache: StreamCache): StateSnapshots {
  const savedRevisions = new Map<string, number>();
  const aggregateOf = (stream: string) => app.aggregates.get(streamIdToAggregate(stream));
  return {
    load: async (streams) => {
      const unknown = [...new Set(streams)].filter(
        (stream) => aggregateOf(stream)?.snapshotEvery !== undefined && cache.get(stream) === undefined,
      );
      await Promise.all(
        unknown.map(async (stream) => {
          const saved = await store.loadState(stream).catch(() => undefined);
          if (saved === undefined || saved.signature !== aggregateOf(stream)?.signature) return;
          savedRevisions.set(stream, saved.revision);
          cache.set(stream, { state: saved.state, revision: saved.revision });
        }),
      );
    },
    save: (states) => {
      const due = [...states].filter(([stream, { revision }]) => {
        const every = aggregateOf(stream)?.snapshotEvery;
        return every !== undefined && revision - (savedRevisions.get(stream) ?? -1) >= every;
      });
      if (due.length === 0) return;
      for (const [stream, { revision }] of due) savedRevisions.set(stream, revision);
      const snapshots = due.map(([stream, { state, revision }]) => ({
        stream,
        signature: aggregateOf(stream)?.signature ?? '',
        revision,
        state,
      }));
      // A shortcut: without it the stream is folded from its start.
      store.saveStates(snapshots).catch(() => undefined);
    },
  };
}
