/** Rows of a projection, saved so that a start need not fold the whole log. A cache: any doubt, and it is folded anew. */
export interface ProjectionSnapshot {
  readonly projection: string;
  /** What the rows were made by (`projectionSignature`). */
  readonly signature: string;
  readonly rows: readonly (readonly [key: string, row: unknown])[];
  /** What the projection left out, as plain data. */
  readonly error?: unknown;
}

/** A state of an aggregate, saved so that a long stream need not be folded anew. */
export interface StateSnapshot {
  readonly stream: string;
  readonly signature: string;
  readonly revision: number;
  readonly state: unknown;
}

/** Where a log keeps shortcuts. All of it can be thrown away at any time, and is where room is needed. */
export interface SnapshotStore {
  /** Saves the rows of all projections at one position, if the log still ends there; otherwise does nothing. */
  saveProjections(upTo: number, snapshots: readonly ProjectionSnapshot[]): Promise<boolean>;
  /** The rows that were saved last, if the log still has the commit that they were made up to. */
  loadProjections(): Promise<{ readonly upTo: number; readonly snapshots: readonly ProjectionSnapshot[] } | undefined>;
  saveStates(states: readonly StateSnapshot[]): Promise<void>;
  /** In the order asked. */
  loadStates(streams: readonly string[]): Promise<readonly (StateSnapshot | undefined)[]>;
  /** @returns whether there was anything to be thrown away. */
  clear(): Promise<boolean>;
}

/** For a log that is in memory itself. */
export function createMemorySnapshotStore(head: () => number): SnapshotStore {
  let projections: { readonly upTo: number; readonly snapshots: readonly ProjectionSnapshot[] } | undefined;
  const stateByStream = new Map<string, StateSnapshot>();
  return {
    saveProjections: async (upTo, snapshots) => {
      if (upTo !== head()) return false;
      // As a database does: later changes of the rows are not in it.
      projections = structuredClone({ upTo, snapshots });
      return true;
    },
    loadProjections: async () => structuredClone(projections),
    saveStates: async (states) => {
      for (const state of states) stateByStream.set(state.stream, structuredClone(state));
    },
    loadStates: async (streams) => streams.map((stream) => structuredClone(stateByStream.get(stream))),
    clear: async () => {
      const had = projections !== undefined || stateByStream.size > 0;
      projections = undefined;
      stateByStream.clear();
      return had;
    },
  };
}
