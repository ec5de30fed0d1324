import type { Booking, LedgerEvent } from '../ledger-data.ts';
import type { LedgerState } from './ledger-state.ts';

/** What a page asks a hand-written worker for. */
export type StoreCall =
  | { readonly name: 'append'; readonly booking: Booking }
  | { readonly name: 'appendAll'; readonly bookings: readonly Booking[] }
  | { readonly name: 'importFile'; readonly file: Blob }
  | { readonly name: 'rebuild' }
  | { readonly name: 'loadStreams'; readonly streams: readonly string[] };

export interface StoreRequest {
  readonly id: number;
  readonly call: StoreCall;
}

/** What the worker tells: rows come before the answer to the call that changed them. */
export type StoreMessage =
  | { readonly type: 'state'; readonly state: LedgerState }
  | { readonly type: 'appended'; readonly events: readonly LedgerEvent[] }
  | { readonly type: 'answer'; readonly id: number; readonly error?: string };
