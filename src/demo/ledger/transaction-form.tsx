import { type ComponentProps, type FormEvent, useId, useRef, useState } from 'react';
import { command, type Receipt } from 'varve';
import { useClient, useProjection } from 'varve/react';
import { emptySent } from './empty-sent.ts';
import { Account, type AccountRow, Accounts } from './ledger.ts';
import { parseCrowns, toCrowns } from './money.ts';
import { receiptToText } from './receipt-text.ts';
import { ReceiptState } from './sync/receipt-state.tsx';

type Field = 'to' | 'amount';

interface Message {
  readonly isError: boolean;
  readonly text: string;
  /** The one that is wrong, if it is one of them. */
  readonly field?: Field | undefined;
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
  const [isSaving, setSaving] = useState(false);
  const isUnderWay = useRef(false);
  const messageId = useId();

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    // Enter pressed twice is one transaction. The state is that of the last render, which a second press may come before.
    if (isUnderWay.current) return;
    const form = event.currentTarget;
    const fields = new FormData(form);
    const text = (name: string) => String(fields.get(name) ?? '').trim();
    const refuse = (field: Field, why: string) => setMessage({ isError: true, text: why, field });
    const amount = parseCrowns(text('amount'));
    if (amount === undefined) return refuse('amount', 'Enter an amount in crowns, such as 250 or 99.50.');
    const to = text('to');
    if (to === account.id) return refuse('to', 'The money is on this account already. Choose another one.');
    isUnderWay.current = true;
    setSaving(true);
    setMessage(undefined);
    const receipt = await client.execute(toCommands(kind, account, amount, text('note'), to)).finally(() => {
      isUnderWay.current = false;
      setSaving(false);
    });
    const problem = receiptToText(receipt);
    if (problem !== '') return setMessage({ isError: true, text: problem, field: toWrongField(receipt) });
    const { commandId } = receipt;
    setMessage({ isError: false, text: `Saved: ${kinds[kind].toLowerCase()} of ${toCrowns(amount)}.`, commandId });
    emptySent(form, fields);
  };

  const mark = (field: Field): Mark =>
    message?.field === field ? { 'aria-invalid': true, 'aria-describedby': messageId } : {};

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
        {kind === 'transfer' && <Recipient from={account.id} mark={mark('to')} />}
        <label>
          Amount
          <input name="amount" inputMode="decimal" required autoComplete="off" {...mark('amount')} />
        </label>
        <label className="grow">
          Note
          <input name="note" maxLength={200} autoComplete="off" />
        </label>
        {/* Not `disabled`: that would take the focus from who has pressed it. */}
        <button type="submit" className="primary" aria-disabled={isSaving}>
          {kinds[kind]}
        </button>
      </div>
      <p id={messageId} className={message?.isError ? 'error' : 'done'} role={message?.isError ? 'alert' : 'status'}>
        {isSaving ? 'Saving…' : message?.text}
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

/** The field in which what the ledger said no to was entered. */
function toWrongField(receipt: Receipt): Field | undefined {
  if (receipt.status !== 'rejected') return undefined;
  // The second of a transfer's commands is the one for the other account.
  if (receipt.command === 1) return 'to';
  return receipt.rejection.code === 'overdraft-limit' ? 'amount' : undefined;
}

/** What tells assistive technology that a field is wrong, and why. */
type Mark = Pick<ComponentProps<'input'>, 'aria-invalid' | 'aria-describedby'>;

const suggestions = 20;

function Recipient({ from, mark }: { readonly from: string; readonly mark: Mark }) {
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
        {...mark}
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
