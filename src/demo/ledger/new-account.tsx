import { type FormEvent, useRef, useState } from 'react';
import { useCommand } from 'varve/react';
import { emptySent } from './empty-sent.ts';
import { Account } from './ledger.ts';
import { receiptToText } from './receipt-text.ts';

/** Opens an account under a number of its own. */
export function NewAccount() {
  const dialog = useRef<HTMLDialogElement>(null);
  const [error, setError] = useState('');
  const open = useCommand(Account, 'open');

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    // Enter pressed twice is one account.
    if (open.pending) return;
    const form = event.currentTarget;
    const fields = new FormData(form);
    const owner = String(fields.get('owner'));
    const id = `N-${crypto.randomUUID().slice(0, 8)}`;
    const receipt = await open(id, { owner }, { expectedRevision: 'no-stream' });
    setError(receiptToText(receipt));
    if (receipt.status !== 'saved') return;
    emptySent(form, fields);
    // Who has closed it meanwhile, and begun another one, is not interrupted.
    if (new FormData(form).get('owner') === '') dialog.current?.close();
    location.hash = `/account/${id}`;
  };

  return (
    <>
      <button type="button" className="plain" onClick={() => dialog.current?.showModal()}>
        New account
      </button>
      <dialog ref={dialog} aria-labelledby="new-account-title">
        <form className="stack" onSubmit={(event) => void submit(event)}>
          <h2 id="new-account-title">New account</h2>
          <label>
            Owner
            <input name="owner" required maxLength={80} autoComplete="off" />
          </label>
          {error !== '' && (
            <p className="error" role="alert">
              {error}
            </p>
          )}
          <div className="actions">
            <button type="button" onClick={() => dialog.current?.close()}>
              Cancel
            </button>
            <button type="submit" className="primary" aria-disabled={open.pending}>
              Open account
            </button>
          </div>
        </form>
      </dialog>
    </>
  );
}
