import type { RecordedEvent } from 'varve';
import type { AccountRow } from './ledger.ts';

const signs: Record<string, 1 | -1> = { Deposited: 1, Withdrawn: -1 };

/** What an event adds to the balance, in hellers; undefined where it is not about money. */
export function toChange({ type, data }: RecordedEvent): number | undefined {
  const sign = signs[type];
  const { amount } = data as { readonly amount?: number };
  return sign === undefined || amount === undefined ? undefined : sign * amount;
}

/**
 * The balance after each event of an account, newest first as the events are.
 *
 * An opening begins with nothing, also where the account was open before. Where the events reach back to none, they are
 * counted back from the row, unless the two are of different moments; what stands before the oldest opening is unknown.
 */
export function toBalances(
  events: readonly RecordedEvent[],
  { balance, revision }: Pick<AccountRow, 'balance' | 'revision'>,
): readonly (number | undefined)[] {
  const isOfRow = events[0]?.revision === revision && !events.some(isOpening);
  let after = isOfRow ? events.reduce((rest, event) => rest - (toChange(event) ?? 0), balance) : undefined;
  const balances: (number | undefined)[] = [];
  for (const event of [...events].reverse()) {
    if (isOpening(event)) after = 0;
    else if (after !== undefined) after += toChange(event) ?? 0;
    balances.push(after);
  }
  return balances.reverse();
}

function isOpening({ type }: RecordedEvent): boolean {
  return type === 'Opened';
}
