import { type FormEvent, useId, useState } from 'react';
import { command } from 'varve';
import { useClient, useProjection } from 'varve/react';
import { Account, type AccountRow, Accounts } from './ledger.ts';
import { parseCrowns, toCrowns } from './money.ts';
import { receiptToText } from './receipt-text.ts';
import { ReceiptState } from './sync/receipt-state.tsx';

interface Message {
  readonly isError: boolean;
  readonly text: string;
  /** What was saved. */
  readonly commandId?: string;
}

const kinds = { deposit: 'Deposit', withdraw: 'Withdraw', transfer: 'Transfer' } as const;
type Kind = keyof typeof kinds;

/** Deposit, withdraw, transfer. The account's own rule decides; what it says no with is shown here. */
export function TransactionForm({ account }: { readonly account: AccountRow }) {
  const client = useClient();
  const [kind, setKind] = useState<Kind>('deposit');
  const [message, setMessage] = useState<Message>();
  const errorId = useId();

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const fields = new FormData(form);
    const text = (name: string) => String(fields.get(name) ?? '').trim();
    const amount = parseCrowns(text('amount'));
    if (amount === undefined) {
      return setMessage({ isError: true, text: 'Enter an amount in crowns, such as 250 or 99.50.' });
    }
    const receipt = await client.execute(toCommands(kind, account, amount, text('note'), text('to')));
    const problem = receiptToText(receipt);
    setMessage({
      isError: problem !== '',
      text: problem || `Saved: ${kinds[kind].toLowerCase()} of ${toCrowns(amount)}.`,
      ...(problem === '' ? { commandId: receipt.commandId } : {}),
    });
    if (problem === '') form.reset();
  };

  return (
    <form className="transaction" aria-label="New transaction" onSubmit={(event) => void submit(event)}>
      <fieldset className="segments">
        <legend className="visually-hidden">Kind</legend>
        {Object.entries(kinds).map(([value, label]) => (
          <label key={value}>
            <input
              type="radio"
              name="kind"
              value={value}
              checked={kind === value}
              onChange={() => {
                setKind(value as Kind);
                setMessage(undefined);
              }}
            />
            <span>{label}</span>
          </label>
        ))}
      </fieldset>
      <div className="fields">
        {kind === 'transfer' && <Recipient from={account.id} />}
        <label>
          Amount
          <input
            name="amount"
            inputMode="decimal"
            required
            autoComplete="off"
            aria-invalid={message?.isError}
            aria-describedby={errorId}
          />
        </label>
        <label className="grow">
          Note
          <input name="note" maxLength={200} autoComplete="off" />
        </label>
        <button type="submit" className="primary">
          {kinds[kind]}
        </button>
      </div>
      <p id={errorId} className={message?.isError ? 'error' : 'done'} role={message?.isError ? 'alert' : 'status'}>
        {message?.text}
        {message?.commandId !== undefined && <ReceiptState commandId={message.commandId} />}
      </p>
    </form>
  );
}

/** A transfer is two commands in one commit: both are saved, or neither. */
function toCommands(kind: Kind, from: AccountRow, amount: number, note: string, to: string) {
  if (kind === 'deposit') return [command(Account, from.id, 'deposit', { amount, note: note || 'Deposit' })];
  if (kind === 'withdraw') return [command(Account, from.id, 'withdraw', { amount, note: note || 'Withdrawal' })];
  return [
    command(Account, from.id, 'withdraw', { amount, note: note || `Transfer to ${to}` }),
    command(Account, to, 'deposit', { amount, note: note || `Transfer from ${from.id}` }),
  ];
}

const suggestions = 20;

function Recipient({ from }: { readonly from: string }) {
  const [typed, setTyped] = useState('');
  const listId = useId();
  const found = useProjection(Accounts, (rows) => {
    const wanted = typed.toLowerCase();
    const matches: AccountRow[] = [];
    for (const row of rows.values()) {
      if (matches.length === suggestions) break;
      const matched = row.id.toLowerCase().startsWith(wanted) || row.owner.toLowerCase().includes(wanted);
      if (row.id !== from && matched) matches.push(row);
    }
    return matches;
  });
  return (
    <label>
      To account
      <input
        name="to"
        required
        list={listId}
        autoComplete="off"
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
      />
      <datalist id={listId}>
        {found.map(({ id, owner }) => (
          <option key={id} value={id}>
            {owner}
          </option>
        ))}
      </datalist>
    </label>
  );
}
