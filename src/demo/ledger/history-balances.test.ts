import type { RecordedEvent } from 'varve';
import { describe, expect, it } from 'vitest';
import { toBalances } from './history-balances.ts';

type Told = readonly [type: string, amount?: number];

/** One stream, told as it happened; the newest event comes first, as the page reads it. */
function happened(...told: readonly Told[]): readonly RecordedEvent[] {
  const events = told.map(([type, amount], revision) => ({
    ...{ id: `e-${revision}`, stream: 'account-ada', type, version: 1, revision, position: revision + 1 },
    data: amount === undefined ? {} : { amount },
    meta: { recordedAt: 0, commandId: 'c', correlationId: 'c', client: 'me' },
  }));
  return events.reverse();
}

const first: readonly Told[] = [['Opened'], ['Deposited', 1000], ['Withdrawn', 300]];
const second: readonly Told[] = [['Opened'], ['Deposited', 500]];

describe('the balances of a history', () => {
  it('stand after each event', () => {
    expect(toBalances(happened(...first), { balance: 700, revision: 2 })).toEqual([700, 1000, 0]);
  });

  it('begin anew where the account was opened again', () => {
    const events = happened(...first, ['Archived'], ...second);
    expect(toBalances(events, { balance: 500, revision: 5 })).toEqual([500, 0, 700, 700, 1000, 0]);
  });

  it('are counted back from the row where the opening is too long ago to be shown', () => {
    const events = happened(...first).slice(0, 2);
    expect(toBalances(events, { balance: 700, revision: 2 })).toEqual([700, 1000]);
  });

  it('are not known before an opening where nothing older is shown', () => {
    const events = happened(...first, ['Archived'], ...second).slice(0, 4);
    expect(toBalances(events, { balance: 500, revision: 5 })).toEqual([500, 0, undefined, undefined]);
  });

  it('are not known while the row and the events are of two moments, and no opening is shown', () => {
    const events = happened(...first).slice(0, 2);
    expect(toBalances(events, { balance: 1700, revision: 3 })).toEqual([undefined, undefined]);
  });
});
