import type { Remote } from 'comlink';
import { createStore } from 'zustand/vanilla';
import type { EngineApi, MirrorSnapshot, Patch, WindowChange, WindowEnd } from '../protocol/engine-api.ts';

/** The page's copy of a projection: rows changed in place by patches, always those of one position of the log. */
export interface Mirror<Row = unknown> {
  readonly projection: string;
  /** Whether the first rows have arrived. */
  readonly loaded: boolean;
  /** Settles when the first rows have arrived; rejects where they cannot. After `Client.startOver` it is a new one. */
  readonly ready: Promise<void>;
  /** Why the first rows do not come; undefined while they may, and once they have. */
  readonly error: Error | undefined;
  /** Position of the log that the rows show; 0 before the first have arrived. */
  readonly position: number;
  /** Whether the rows are old ones that stay until new ones, which are being built, take their place. */
  readonly isBehind: boolean;
  /** Moves on whenever rows change, and only then: what to memoise on. */
  readonly changeCount: number;
  /** The rows as they are now, changed in place: read them, do not keep them. */
  readonly rows: ReadonlyMap<string, Row>;
  /** A copy of the rows that will not change; the same one as long as no row changes. */
  copyRows(): ReadonlyMap<string, Row>;
  /** Calls `listener` after every change of rows, and where the first ones turn out not to come. */
  subscribe(listener: () => void): () => void;
  /**
   * Resolves once the rows show this position of the log, or what is pending got another order: then it may be the
   * position of nothing any more. Rejects where the rows cannot come.
   */
  whenReached(position: number): Promise<void>;
}

interface Waiter {
  readonly position: number;
  /** In another order since: it may be the position of nothing any more. */
  isLost: boolean;
  settle(error?: Error): void;
}

/** The side of a mirror that the connection feeds. */
export interface MirrorFeed {
  readonly mirror: Mirror;
  /** Asks the worker for it, where it is not the mirror of a projection. */
  readonly ask?: (api: Remote<EngineApi>) => Promise<void>;
  applySnapshot(snapshot: MirrorSnapshot): void;
  applyPatch(patch: Patch): void;
  /** Another log stands in the place of the old one: the rows stay until those of the new one come. */
  restart(): void;
  /** The rows will not come: `ready` and everybody who waits for a position are told. */
  fail(error: Error): void;
}

/** Puts what a patch says of a mirror into its rows. @returns whether that changed anything. */
export type ApplyChanges = (
  rows: Map<string, unknown>,
  changes: readonly WindowChange[],
  end: WindowEnd | undefined,
) => boolean;

/** `onGap` is called where a patch does not start at the mirror's position: it asks for a new snapshot. */
export function createMirror(
  projection: string,
  onGap: () => void,
  applyChanges: ApplyChanges = applyRowChanges,
): MirrorFeed {
  const rows = new Map<string, unknown>();
  const store = createStore(() => ({ changeCount: 0 }));
  const waiting = new Set<Waiter>();
  let position = 0;
  let loaded = false;
  let isBehind = false;
  /** The pieces of a snapshot that have come so far. */
  let arriving: Map<string, unknown> | undefined;
  let awaitsSnapshot = true;
  let copy: { readonly changeCount: number; readonly rows: ReadonlyMap<string, unknown> } | undefined;
  let failure: Error | undefined;
  let settleReady = { resolve: () => {}, reject: (_error: Error) => {} };
  let ready = createReady();

  function createReady(): Promise<void> {
    const created = new Promise<void>((resolve, reject) => {
      settleReady = { resolve, reject };
    });
    // Not everybody who opens a mirror waits for it.
    created.catch(() => undefined);
    return created;
  }

  function moveTo(newPosition: number, changed: boolean): void {
    position = newPosition;
    if (changed) store.setState(({ changeCount }) => ({ changeCount: changeCount + 1 }));
    settleTo(position);
  }

  function settleTo(reached: number): void {
    for (const waiter of waiting) if (waiter.position <= reached || waiter.isLost) waiter.settle();
  }

  /** They wait for the next rows alone. */
  function loseWaiters(): void {
    for (const waiter of waiting) waiter.isLost = true;
  }

  const mirror: Mirror = {
    projection,
    rows,
    get ready() {
      return ready;
    },
    get loaded() {
      return loaded;
    },
    get error() {
      return loaded ? undefined : failure;
    },
    get position() {
      return position;
    },
    get isBehind() {
      return isBehind;
    },
    get changeCount() {
      return store.getState().changeCount;
    },
    copyRows: () => {
      const { changeCount } = store.getState();
      if (copy?.changeCount !== changeCount) copy = { changeCount, rows: new Map(rows) };
      return copy.rows;
    },
    subscribe: (listener) => store.subscribe(listener),
    whenReached: (wanted) => {
      if (position >= wanted) return Promise.resolve();
      if (failure !== undefined) return Promise.reject(failure);
      return new Promise((resolve, reject) => {
        const waiter: Waiter = {
          position: wanted,
          isLost: false,
          settle: (error?: Error) => {
            waiting.delete(waiter);
            if (error === undefined) resolve();
            else reject(error);
          },
        };
        waiting.add(waiter);
      });
    },
  };

  return {
    mirror,
    applySnapshot: (snapshot) => {
      if (snapshot.isFirst) arriving = new Map();
      // Of a snapshot that another worker began and did not end.
      if (arriving === undefined) return;
      for (const [key, row] of snapshot.rows) arriving.set(key, row);
      if (!snapshot.isLast) return;
      awaitsSnapshot = false;
      isBehind = snapshot.isBehind;
      rows.clear();
      for (const [key, row] of arriving) rows.set(key, row);
      arriving = undefined;
      loaded = true;
      // Rows came after all: the next to ask finds them.
      if (failure !== undefined) ready = Promise.resolve();
      failure = undefined;
      settleReady.resolve();
      if (snapshot.position < position) loseWaiters();
      moveTo(snapshot.position, true);
    },
    applyPatch: ({ from, to, changes, ends, isRebase }) => {
      if (isRebase) loseWaiters();
      const own: readonly WindowChange[] | undefined = changes[projection];
      // Not for this mirror: a worker that has just started publishes before it was asked for this projection.
      if (own === undefined || awaitsSnapshot || (to <= position && !isRebase)) return;
      if (from !== position) {
        awaitsSnapshot = true;
        return onGap();
      }
      moveTo(to, applyChanges(rows, own, ends?.[projection]));
    },
    restart: () => {
      loseWaiters();
      settleTo(0);
      position = 0;
      awaitsSnapshot = true;
      arriving = undefined;
      // Who asks from now on waits again, instead of being told of what is over.
      if (failure !== undefined && !loaded) ready = createReady();
      failure = undefined;
    },
    fail: (error) => {
      failure = error;
      settleReady.reject(error);
      for (const waiter of waiting) waiter.settle(error);
      if (!loaded) store.setState(({ changeCount }) => ({ changeCount }));
    },
  };
}

function applyRowChanges(rows: Map<string, unknown>, changes: readonly WindowChange[]): boolean {
  for (const { key, row } of changes) {
    if (row === null) rows.delete(key);
    else rows.set(key, row);
  }
  return changes.length > 0;
}
