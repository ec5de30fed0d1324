import { createStore, type StoreApi } from 'zustand/vanilla';
import type { Failure } from '../core/errors.ts';
import type { ConsumerStatus, ProjectionStatus, UnreadableType } from '../protocol/engine-api.ts';
import type { SyncStatus } from '../protocol/sync-host.ts';

/** What is true of the app's data right now; there from the first frame on. */
export interface Status {
  /**
   * - `booting`: the worker starts and opens the log.
   * - `ready`: commands are stored.
   * - `outdated`: a newer version of the app took over; what is shown stays, nothing is stored. Reload.
   * - `failed`: nothing can be stored; `failure` says why and what to do.
   */
  readonly phase: 'booting' | 'ready' | 'outdated' | 'failed';
  /** `persistent`: the browser promised to keep it; `best-effort`: it may evict it when space is short; `memory`: gone with the page. */
  readonly storage: 'persistent' | 'best-effort' | 'memory';
  /** Id of the log, once it is open: what another device joins it by (`ClientOptions.log`). */
  readonly logId?: string | undefined;
  /** Position of the last event that is on disk and known to this page. */
  readonly saved: number;
  /** How sync is doing; absent without it, and until the log is open. */
  readonly sync?: SyncStatus | undefined;
  /** How many times, since this page was opened, what is pending was put into another order. */
  readonly rebases: number;
  /** Commands that were sent and are not answered yet: what is on disk still waits for its rows. */
  readonly saving: number;
  readonly failure?: Failure | undefined;
  /** Projections that are being built, or had to leave events out, and why. */
  readonly projections: readonly ProjectionStatus[];
  /** Stored events that this build of the app cannot read: they are kept, and shown by a build that can. */
  readonly unreadable: readonly UnreadableType[];
  /** How far each reactor and process is, and what keeps it. */
  readonly consumers: readonly ConsumerStatus[];
  /** The browser's own estimate for this site, in bytes; a hint only, it is often wrong. */
  readonly quota?: { readonly usedBytes: number; readonly availableBytes: number };
}

export type StatusStore = StoreApi<Status>;

export const initialStatus: Status = Object.freeze({
  phase: 'booting',
  storage: 'best-effort',
  saved: 0,
  saving: 0,
  rebases: 0,
  projections: [],
  unreadable: [],
  consumers: [],
});

export function createStatusStore(): StatusStore {
  return createStore(() => initialStatus);
}

/** The phase that a lasting failure puts the app in. */
export function failureToPhase({ type }: Failure): 'outdated' | 'failed' {
  return type === 'storage.outdated' || type === 'engine.mismatch' ? 'outdated' : 'failed';
}
