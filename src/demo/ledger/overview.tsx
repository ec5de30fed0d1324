import type { RecordedEvent } from 'varve';
import { useEvents, useProjection } from 'varve/react';
import { Accounts } from './ledger.ts';
import { toCrowns } from './money.ts';
import { useConfirmed } from './sync/receipt-state.tsx';

/** The whole book in three numbers, and what happened last, in this tab or another. */
export function Overview() {
  const totals = useProjection(Accounts, (rows) => {
    let [balance, transactions] = [0, 0];
    for (const row of rows.values()) {
      balance += row.balance;
      transactions += row.transactions;
    }
    return { accounts: rows.size, balance, transactions };
  });
  const events = useEvents({ limit: 50 });
  const confirmed = useConfirmed();
  return (
    <section className="page" aria-labelledby="overview-title">
      <h1 id="overview-title">Overview</h1>
      <dl className="totals">
        <div>
          <dt>Balance of all accounts</dt>
          <dd className="money" data-testid="total-balance">
            {toCrowns(totals.balance)}
          </dd>
        </div>
        <div>
          <dt>Accounts</dt>
          <dd>{totals.accounts.toLocaleString('en')}</dd>
        </div>
        <div>
          <dt>Transactions</dt>
          <dd>{totals.transactions.toLocaleString('en')}</dd>
        </div>
      </dl>
      <h2 id="feed-title">Newest events</h2>
      {events === undefined ? (
        <p className="loading">Reading…</p>
      ) : (
        <ol className="feed" aria-labelledby="feed-title">
          {events.map((event) => (
            <FeedLine key={event.id} event={event} isWaiting={event.position > confirmed} />
          ))}
        </ol>
      )}
    </section>
  );
}

function FeedLine({ event, isWaiting }: { readonly event: RecordedEvent; readonly isWaiting: boolean }) {
  const { amount, note, owner } = event.data as { amount?: number; note?: string; owner?: string };
  const id = event.stream.slice(event.stream.indexOf('-') + 1);
  return (
    <li>
      <span className={`kind ${event.type.toLowerCase()}`}>{event.type}</span>
      <a href={`#/account/${encodeURIComponent(id)}`}>{id}</a>
      <span className="note">{note ?? owner ?? ''}</span>
      <span className="money">{amount === undefined ? '' : toCrowns(amount)}</span>
      {isWaiting ? (
        <small title="Saved; its place is not settled yet">waiting</small>
      ) : (
        <small title="Position in the log">#{event.position.toLocaleString('en')}</small>
      )}
    </li>
  );
}
