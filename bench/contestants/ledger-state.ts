import { bookingToChange, type LedgerEvent } from '../ledger-data.ts';

/** How many events the feed shows. */
export const feedLength = 50;

/** What the hand-written contestants fold: balances in place, and the newest events, newest first. */
export interface LedgerState {
  readonly balances: Map<string, number>;
  newest: LedgerEvent[];
}

export function createLedgerState(): LedgerState {
  return { balances: new Map(), newest: [] };
}

export function addToBalance({ balances }: LedgerState, stream: string, change: number): void {
  const account = stream.slice(stream.indexOf('-') + 1);
  balances.set(account, (balances.get(account) ?? 0) + change);
}

/** Folds events in order. */
export function addEvents(state: LedgerState, events: readonly LedgerEvent[]): void {
  for (const { stream, type, data } of events) addToBalance(state, stream, bookingToChange(type, data.amount));
  state.newest = [...events.slice(-feedLength).reverse(), ...state.newest].slice(0, feedLength);
}
