import type { RecordedEvent } from 'varve';
import { useCommand, useEvents, useRow } from 'varve/react';
import { Account, type AccountRow, Accounts } from './ledger.ts';
import { toCrowns } from './money.ts';
import { useConfirmed } from './sync/receipt-state.tsx';
import { TransactionForm } from './transaction-form.tsx';

const historyLength = 500;

/** One account: what it holds, what can be done with it, and everything that happened to it. */
export function AccountPage({ id }: { readonly id: string }) {
  const account = useRow(Accounts, id);
  const archive = useCommand(Account, 'archive');
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
        <button
          type="button"
          className="plain"
          onClick={() => {
            if (confirm(`Archive ${account.owner}? Its history stays in the log.`)) void archive(id);
          }}
        >
          Archive this account
        </button>
      </footer>
    </section>
  );
}

function History({ account }: { readonly account: AccountRow }) {
  const events = useEvents({ stream: `account-${account.id}`, limit: historyLength });
  const confirmed = useConfirmed();
  if (events === undefined) return <p className="loading">Reading the history…</p>;
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
            {withBalances(events, account).map(({ event, balance }) => (
              <HistoryLine key={event.id} event={event} balance={balance} isWaiting={event.position > confirmed} />
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
  const { amount, date, note } = event.data as { amount?: number; date?: string; note?: string };
  const sign = signs[event.type] ?? 0;
  return (
    <tr>
      <td>{date ?? new Date(event.meta.recordedAt).toISOString().slice(0, 10)}</td>
      <td>
        {note || event.type} {isWaiting && <small>waiting</small>}
      </td>
      <td className={sign < 0 ? 'number money below' : 'number money'}>
        {amount === undefined ? '' : toCrowns(sign * amount)}
      </td>
      <td className="number money">{balance === undefined ? '' : toCrowns(balance)}</td>
    </tr>
  );
}

const signs: Record<string, 1 | -1> = { Deposited: 1, Withdrawn: -1 };

/** The balance after each event, counted back from the newest; none while the row and the events are of two moments. */
function withBalances(events: readonly RecordedEvent[], { balance, revision }: AccountRow) {
  let after = balance;
  const isSameMoment = events[0]?.revision === revision;
  return events.map((event) => {
    const line = { event, balance: isSameMoment ? after : undefined };
    after -= (signs[event.type] ?? 0) * ((event.data as { amount?: number }).amount ?? 0);
    return line;
  });
}
