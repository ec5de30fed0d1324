/** Rows of a projection, saved so that a start need not fold the whole log. A cache: any doubt, and it is folded anew. */
export interface ProjectionSnapshot {
  readonly projection: string;
  /** What the rows were made by; of rows that are not complete it is another one. */
  readonly signature: string;
  /** Position of the last event that is in the rows. */
  readonly upTo: number;
  /** False while they are built beside the rows that are shown: a start goes on with building. */
  readonly isComplete: boolean;
  readonly rows: readonly (readonly [key: string, row: unknown])[];
  /** What the projection left out, as plain data. */
  readonly left?: unknown;
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
  /**
   * Saves rows, each in the place of those of the same projection and signature; complete ones in the place of all of
   * their projection.
   *
   * @returns false, and saves nothing, where no commit of the log ends at one of the positions, or what is pending was put
   * into another order meanwhile.
   */
  saveProjections(snapshots: readonly ProjectionSnapshot[]): Promise<boolean>;
  /** The rows that were saved last, of which the log still has the commit that they were made up to. */
  loadProjections(): Promise<readonly ProjectionSnapshot[]>;
  /** Saves nothing where what is pending was put into another order meanwhile: they may be of events that are gone. */
  saveStates(states: readonly StateSnapshot[]): Promise<void>;
  /** In the order asked. */
  loadStates(streams: readonly string[]): Promise<readonly (StateSnapshot | undefined)[]>;
  /** @returns whether there was anything to be thrown away. */
  clear(): Promise<boolean>;
}

/** The store of a log in memory. `forgetState`: of this stream, events were taken out of the log. */
export interface MemorySnapshotStore extends SnapshotStore {
  forgetState(stream: string): void;
}

/** For a log that is in memory itself. `orderHashAt`: the order hash after a position; undefined where no commit ends there. */
export function createMemorySnapshotStore(orderHashAt: (position: number) => string | undefined): MemorySnapshotStore {
  let projections: readonly { readonly snapshot: ProjectionSnapshot; readonly orderHash: string | undefined }[] = [];
  const stateByStream = new Map<string, StateSnapshot>();
  return {
    saveProjections: async (snapshots) => {
      // As a database does: later changes of the rows are not in it.
      const saved = structuredClone(snapshots).map((snapshot) => ({ snapshot, orderHash: orderHashAt(snapshot.upTo) }));
      if (saved.some(({ orderHash }) => orderHash === undefined)) return false;
      const isReplaced = (old: ProjectionSnapshot) => snapshots.some((snapshot) => replaces(snapshot, old));
      projections = [...projections.filter((old) => !isReplaced(old.snapshot)), ...saved];
      return true;
    },
    loadProjections: async () =>
      structuredClone(
        projections.flatMap(({ snapshot, orderHash }) => (orderHashAt(snapshot.upTo) === orderHash ? [snapshot] : [])),
      ),
    saveStates: async (states) => {
      for (const state of states) stateByStream.set(state.stream, structuredClone(state));
    },
    loadStates: async (streams) => streams.map((stream) => structuredClone(stateByStream.get(stream))),
    clear: async () => {
      const had = projections.length > 0 || stateByStream.size > 0;
      projections = [];
      stateByStream.clear();
      return had;
    },
    forgetState: (stream) => void stateByStream.delete(stream),
  };
}

/** Whether a newly saved snapshot takes the place of an older one. */
export function replaces(
  { projection, signature, isComplete }: ProjectionSnapshot,
  old: Pick<ProjectionSnapshot, 'projection' | 'signature'>,
): boolean {
  return old.projection === projection && (isComplete || old.signature === signature);
}
