// A ledger that has come a long way: the events of today, with the forms in which they were stored in 2024. What is
// folded and decided is the ledger's own code, which knows nothing of it.
import { defineApp, defineEvents, type EventDefinition, type Schema, versions } from 'varve';
import * as z from 'zod';
import { Account, AccountEvents, Accounts } from '../ledger.ts';

/** Crowns as a fraction, the day as it is written in Prague, and no text where there was none. */
const line = z.object({ crowns: z.number(), day: z.string(), text: z.string().optional() });

const LaterEvents = defineEvents({
  Opened: versions(z.object({ owner: z.string() })).to(ofToday(AccountEvents.Opened), ({ owner }) => ({
    owner,
    sample: false,
  })),
  Deposited: versions(line).to(ofToday(AccountEvents.Deposited), lineOfToday).formerly('PaidIn'),
  Withdrawn: versions(line).to(ofToday(AccountEvents.Withdrawn), lineOfToday),
  Archived: ofToday(AccountEvents.Archived),
});

export const laterAccounts = { ...Accounts, events: LaterEvents };
export const laterLedger = defineApp({
  name: 'ledger',
  aggregates: [{ ...Account, events: LaterEvents }],
  projections: [laterAccounts],
});

function lineOfToday({ crowns, day, text = '' }: z.infer<typeof line>) {
  const [dayOfMonth = '', month = '', year = ''] = day.split('.');
  return {
    amount: Math.round(crowns * 100),
    date: `${year}-${month.padStart(2, '0')}-${dayOfMonth.padStart(2, '0')}`,
    note: text,
  };
}

/** The form in which the ledger stores an event today. */
function ofToday<Input, Data>({ history }: EventDefinition<string, Input, Data>): Schema<Input, Data> {
  // A history keeps its schemas without their types; the definition has those of the newest.
  return history.schemas.at(-1) as Schema<Input, Data>;
}
