import { useVirtualizer } from '@tanstack/react-virtual';
import { useDeferredValue, useMemo, useRef, useState } from 'react';
import { useProjection } from 'varve/react';
import { type AccountRow, Accounts } from './ledger.ts';
import { toCrowns } from './money.ts';
import { NewAccount } from './new-account.tsx';

const byNumber = new Intl.Collator('en', { numeric: true });

const orders = {
  number: { label: 'Number', compare: (a: AccountRow, b: AccountRow) => byNumber.compare(a.id, b.id) },
  highest: { label: 'Highest balance', compare: (a: AccountRow, b: AccountRow) => b.balance - a.balance },
  lowest: { label: 'Lowest balance', compare: (a: AccountRow, b: AccountRow) => a.balance - b.balance },
  busiest: { label: 'Most transactions', compare: (a: AccountRow, b: AccountRow) => b.transactions - a.transactions },
} as const;

const rowHeight = 60;

/** Every account with its balance; only the rows in sight are in the document. */
export function AccountList({ selected }: { readonly selected: string | undefined }) {
  const rows = useProjection(Accounts);
  const [search, setSearch] = useState('');
  const [order, setOrder] = useState<keyof typeof orders>('number');
  const wanted = useDeferredValue(search).trim().toLowerCase();
  const accounts = useMemo(
    () =>
      [...rows.values()]
        .filter(({ id, owner }) => id.toLowerCase().includes(wanted) || owner.toLowerCase().includes(wanted))
        .sort((a, b) => orders[order].compare(a, b) || byNumber.compare(a.id, b.id)),
    [rows, wanted, order],
  );
  const scroller = useRef<HTMLElement>(null);
  const virtual = useVirtualizer({
    count: accounts.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 6,
  });

  return (
    <nav className="accounts" aria-label="Accounts">
      <div className="filters">
        <label>
          <span className="visually-hidden">Search accounts</span>
          <input
            type="search"
            placeholder="Number or owner"
            value={search}
            onChange={(event) => setSearch(event.target.value)}
          />
        </label>
        <label>
          <span className="visually-hidden">Sort by</span>
          <select
            value={order}
            onChange={(event) => {
              setOrder(event.target.value as keyof typeof orders);
              scroller.current?.scrollTo({ top: 0 });
            }}
          >
            {Object.entries(orders).map(([key, { label }]) => (
              <option key={key} value={key}>
                {label}
              </option>
            ))}
          </select>
        </label>
      </div>
      <div className="count">
        <p aria-live="polite">
          {accounts.length === rows.size
            ? `${rows.size.toLocaleString('en')} accounts`
            : `${accounts.length.toLocaleString('en')} of ${rows.size.toLocaleString('en')} accounts`}
        </p>
        <NewAccount />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <section className="scroller" ref={scroller} tabIndex={0} aria-label="List of accounts">
        <ul style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const account = accounts[index];
            return account === undefined ? null : (
              <li
                key={account.id}
                style={{ transform: `translateY(${start}px)` }}
                aria-setsize={accounts.length}
                aria-posinset={index + 1}
              >
                <AccountLink account={account} isSelected={account.id === selected} />
              </li>
            );
          })}
        </ul>
        {accounts.length === 0 && (
          <p className="empty">{rows.size === 0 ? 'No accounts yet.' : 'No account matches.'}</p>
        )}
      </section>
    </nav>
  );
}

function AccountLink({ account, isSelected }: { readonly account: AccountRow; readonly isSelected: boolean }) {
  const { id, owner, balance, transactions, sample } = account;
  return (
    <a href={`#/account/${encodeURIComponent(id)}`} aria-current={isSelected ? 'page' : undefined} data-account={id}>
      <span className="who">
        <strong>{owner}</strong>
        <small>
          {id} · {transactions.toLocaleString('en')} transactions{sample ? ' · sample' : ''}
        </small>
      </span>
      <span className={balance < 0 ? 'money below' : 'money'}>{toCrowns(balance)}</span>
    </a>
  );
}
