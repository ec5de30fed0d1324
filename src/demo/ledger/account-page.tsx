import type { RecordedEvent } from 'varve';
import { useCommand, useEvents, useRow } from 'varve/react';
import { toBookingDate } from './booking-date.ts';
import { toBalances, toChange } from './history-balances.ts';
import { Account, type AccountRow, Accounts } from './ledger.ts';
import { toCrowns } from './money.ts';
import { useConfirmed } from './sync/receipt-state.tsx';
import { TransactionForm } from './transaction-form.tsx';

const historyLength = 500;

/** One account: what it holds, what can be done with it, and everything that happened to it. */
export function AccountPage({ id }: { readonly id: string }) {
  const account = useRow(Accounts, id);
  if (account === undefined) {
    return (
      <section className="page">
        <a className="back" href="#/">
          ← All accounts
        </a>
        <h1>No such account</h1>
        <p>There is no open account “{id}”.</p>
      </section>
    );
  }
  return (
    <section className="page" aria-labelledby="account-title">
      <a className="back" href="#/">
        ← Overview
      </a>
      <header className="account-head">
        <div>
          <h1 id="account-title">{account.owner}</h1>
          <p>
            {id} · {account.transactions.toLocaleString('en')} transactions
            {account.sample ? ' · sample' : ''}
          </p>
        </div>
        <p className="balance">
          <span className={account.balance < 0 ? 'money below' : 'money'} data-testid="balance">
            {toCrowns(account.balance)}
          </span>{' '}
          <small>CZK</small>
        </p>
      </header>
      <TransactionForm account={account} />
      <History account={account} />
      <footer className="page-foot">
        <ArchiveButton account={account} />
      </footer>
    </section>
  );
}

function ArchiveButton({ account: { id, owner } }: { readonly account: AccountRow }) {
  const archive = useCommand(Account, 'archive');
  const ask = () => {
    if (confirm(`Archive ${owner}? Its history stays in the log.`)) void archive(id);
  };
  return (
    <>
      {archive.failure !== undefined && (
        <p className="error" role="alert">
          {archive.failure.text}
        </p>
      )}
      <button type="button" className="plain" onClick={ask}>
        Archive this account
      </button>
    </>
  );
}

function History({ account }: { readonly account: AccountRow }) {
  const events = useEvents({ stream: `account-${account.id}`, limit: historyLength });
  const confirmed = useConfirmed();
  if (events === undefined) return <p className="loading">Reading the history…</p>;
  const balances = toBalances(events, account);
  return (
    <div>
      <h2 id="history-title">
        History
        {account.transactions > historyLength && <small> · the newest {historyLength}</small>}
      </h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <section className="table-scroller" tabIndex={0} aria-labelledby="history-title">
        <table>
          <thead>
            <tr>
              <th scope="col">Date</th>
              <th scope="col">What</th>
              <th scope="col" className="number">
                Amount
              </th>
              <th scope="col" className="number">
                Balance
              </th>
            </tr>
          </thead>
          <tbody>
            {events.map((event, index) => (
              <HistoryLine
                key={event.id}
                event={event}
                balance={balances[index]}
                isWaiting={event.position > confirmed}
              />
            ))}
          </tbody>
        </table>
      </section>
    </div>
  );
}

interface HistoryLineProps {
  readonly event: RecordedEvent;
  readonly balance: number | undefined;
  /** It is saved, and its place is not settled yet. */
  readonly isWaiting: boolean;
}

function HistoryLine({ event, balance, isWaiting }: HistoryLineProps) {
  const { date, note } = event.data as { date?: string; note?: string };
  const change = toChange(event);
  return (
    <tr>
      <td>{date ?? toBookingDate(event.meta.recordedAt)}</td>
      <td>
        {note || event.type} {isWaiting && <small>waiting</small>}
      </td>
      <td className={change !== undefined && change < 0 ? 'number money below' : 'number money'}>
        {change === undefined ? '' : toCrowns(change)}
      </td>
      <td className="number money">{balance === undefined ? '' : toCrowns(balance)}</td>
    </tr>
  );
}
