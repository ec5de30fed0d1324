import type { Booking, LedgerEvent } from '../ledger-data.ts';
import type { LedgerState } from './ledger-state.ts';

/** Storage as a hand-written worker uses it. States are new ones; the caller folds later appends into them. */
export interface LedgerStore {
  /** The state at a start, by whatever shortcut the store keeps. */
  open(): Promise<LedgerState>;
  /** The state from the whole stored log. */
  rebuild(): Promise<LedgerState>;
  append(booking: Booking): Promise<LedgerEvent>;
  appendAll(bookings: readonly Booking[]): Promise<readonly LedgerEvent[]>;
  /** Replaces what is stored. */
  importFile(file: Blob): Promise<LedgerState>;
  /** Balances of streams, each folded from the stream's own events. */
  readonly loadStreams?: (streams: readonly string[]) => Promise<readonly number[]>;
}
