import type { Booking, LedgerEvent } from '../ledger-data.ts';

/** What the view shows, as hooks: Varve's own for Varve, a small store's for the others. */
export interface LedgerHooks {
  /** Sum of all balances; undefined before the first rows have come. */
  readonly useTotal: () => number | undefined;
  readonly useBalance: (account: string) => number | undefined;
  /** The 50 newest events, newest first. */
  readonly useNewest: () => readonly Pick<LedgerEvent, 'stream' | 'type' | 'data'>[] | undefined;
}

/** One way to keep the ledger. What is undefined is not available, and its rows say so. */
export interface Contestant {
  readonly name: string;
  readonly hooks: LedgerHooks;
  /** Stores one booking. Resolves when it is on disk, with the durability that survives a power cut. */
  append(booking: Booking): Promise<void>;
  /** Stores many bookings, all or none. */
  readonly appendAll?: ((bookings: readonly Booking[]) => Promise<void>) | undefined;
  /** Replaces the log by a file's events. Resolves when they are on disk and the view's rows show them. */
  readonly importFile?: ((file: Blob) => Promise<void>) | undefined;
  readonly exportFile?: (() => Promise<Blob>) | undefined;
  /** Folds the whole stored log again. Resolves when the view's rows are the new ones. */
  readonly rebuild?: (() => Promise<void>) | undefined;
  /** Loads the state of each of these streams, in one request. */
  readonly loadStreams?: ((accounts: readonly string[]) => Promise<void>) | undefined;
  /** Balances as the page has them now. */
  balances(): ReadonlyMap<string, number>;
}
