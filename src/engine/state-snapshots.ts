import type { Aggregate } from '../core/aggregate.ts';
import type { App } from '../core/app.ts';
import type { RecordedEvent } from '../core/events.ts';
import { streamIdToAggregate } from '../core/stream-id.ts';
import type { SnapshotStore } from '../log/snapshot-store.ts';
import type { StreamCache, StreamState } from './stream-cache.ts';

/** Saved states of long streams, for the aggregates that ask for them. A shortcut: without it a stream is folded from its start. */
export interface StateSnapshots {
  /** Puts saved states into the cache, where it has none: before the transaction, which cannot wait for them. */
  load(streams: readonly string[]): Promise<void>;
  /** Takes states that commands came to. */
  note(states: ReadonlyMap<string, StreamState>): void;
  /**
   * Folds events that pass by, of whoever appended them, into the states of their streams: those of a stream that is
   * known up to there, or that begins. So an import of many leaves states behind, and another tab's events are known.
   */
  follow(events: readonly RecordedEvent[]): void;
  /** Saves now what is saved in a moment anyway: states that have come far enough since they were saved last. */
  saveNow(): Promise<void>;
  /** What was saved is gone. */
  forget(): void;
  close(): void;
}

/** States in one transaction: commands wait for it. */
const maxStates = 500;

/** How long saving waits for more. */
const saveDelayMs = 500;

/** Streams that are remembered as saved; of another, the worst is to be saved once more. */
const maxSaved = 100_000;

export function createStateSnapshots(app: App, store: SnapshotStore, cache: StreamCache): StateSnapshots {
  const savedRevisions = new Map<string, number>();
  const due = new Set<string>();
  let saving: Promise<void> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const saved = new Map<string, { readonly aggregate: Aggregate; readonly every: number }>();
  for (const aggregate of app.aggregates.values()) {
    if (aggregate.snapshotEvery !== undefined) saved.set(aggregate.name, { aggregate, every: aggregate.snapshotEvery });
  }
  const ownerOf = (stream: string) => (saved.size === 0 ? undefined : saved.get(streamIdToAggregate(stream)));

  function noteRevision(stream: string, revision: number, every: number): void {
    if (revision - (savedRevisions.get(stream) ?? -1) < every) return;
    due.add(stream);
    timer ??= setTimeout(() => {
      timer = undefined;
      void saveNow();
    }, saveDelayMs);
  }

  function saveNow(): Promise<void> {
    saving ??= saveDue().finally(() => {
      saving = undefined;
    });
    return saving;
  }

  async function saveDue(): Promise<void> {
    while (due.size > 0) {
      const streams = [...due].slice(0, maxStates);
      for (const stream of streams) due.delete(stream);
      if (savedRevisions.size > maxSaved) savedRevisions.clear();
      const snapshots = streams.flatMap((stream) => {
        const known = cache.get(stream);
        const owner = ownerOf(stream);
        if (known === undefined || owner === undefined) return [];
        const { state, revision } = known;
        savedRevisions.set(stream, revision);
        return [{ stream, signature: owner.aggregate.signature, revision, state }];
      });
      await store.saveStates(snapshots).catch(() => undefined);
    }
  }

  return {
    load: async (streams) => {
      const unknown = [...new Set(streams)].filter(
        (stream) => ownerOf(stream) !== undefined && cache.get(stream) === undefined,
      );
      if (unknown.length === 0) return;
      const found = await store.loadStates(unknown).catch(() => []);
      for (const snapshot of found) {
        if (snapshot === undefined) continue;
        const { stream, signature, revision } = snapshot;
        if (signature !== ownerOf(stream)?.aggregate.signature) continue;
        savedRevisions.set(stream, revision);
        cache.set(stream, { state: Object.freeze(snapshot.state), revision });
      }
    },
    note: (states) => {
      for (const [stream, { revision }] of states) {
        const owner = ownerOf(stream);
        if (owner !== undefined) noteRevision(stream, revision, owner.every);
      }
    },
    follow: (events) => {
      if (saved.size === 0) return;
      for (const event of events) {
        const { stream, revision } = event;
        const owner = ownerOf(stream);
        if (owner === undefined) continue;
        const known = cache.get(stream);
        if (known === undefined ? revision !== 0 : known.revision !== revision - 1) continue;
        const { aggregate, every } = owner;
        try {
          const state = aggregate.evolve(known === undefined ? aggregate.initialState() : known.state, event);
          cache.set(stream, { state, revision });
          noteRevision(stream, revision, every);
        } catch {
          // A bug of the app that the next command on this stream meets, and tells.
        }
      }
    },
    saveNow,
    forget: () => {
      savedRevisions.clear();
      due.clear();
    },
    close: () => clearTimeout(timer),
  };
}
