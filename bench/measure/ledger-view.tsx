import type { ReactElement } from 'react';
import type { LedgerHooks } from '../contestants/contestant.ts';
import { eventToLine } from '../ledger-data.ts';

/** How many accounts the view lists: a screen of them. */
export const listedAccounts = 50;

const accounts = Array.from({ length: listedAccounts }, (_, index) => `${index}`);

/** The same page for every contestant: a total, fifty accounts, and the newest events. */
export function LedgerView({ hooks }: { readonly hooks: LedgerHooks }): ReactElement {
  const { useTotal } = hooks;
  const total = useTotal();
  return (
    <main>
      <p data-total>{total}</p>
      <ul>
        {accounts.map((account) => (
          <AccountLine key={account} account={account} hooks={hooks} />
        ))}
      </ul>
      <Feed hooks={hooks} />
    </main>
  );
}

function AccountLine({ account, hooks }: { readonly account: string; readonly hooks: LedgerHooks }): ReactElement {
  const { useBalance } = hooks;
  return <li data-account={account}>{useBalance(account) ?? 'no event'}</li>;
}

function Feed({ hooks }: { readonly hooks: LedgerHooks }): ReactElement {
  const { useNewest } = hooks;
  const newest = useNewest();
  const [first] = newest ?? [];
  return (
    <section>
      <p data-newest>{first === undefined ? '' : eventToLine(first)}</p>
      <ol>
        {newest?.map((event, index) => (
          // Lines have no identity that all contestants share; their place is what a feed shows.
          // biome-ignore lint/suspicious/noArrayIndexKey: the list is replaced as a whole
          <li key={index}>{eventToLine(event)}</li>
        ))}
      </ol>
    </section>
  );
}
