import { useId, useState } from 'react';
import type { RefusedCommit } from 'varve/client';
import { useClient, useProjection, useRefused } from 'varve/react';
import { Accounts } from '../ledger.ts';
import { receiptToText, rejectionToText } from '../receipt-text.ts';
import { toRefusedText } from './refused-text.ts';

const shown = 3;

/** What was saved here and withdrawn by sync: only who made it is told, and decides what becomes of it. */
export function RefusedNotice() {
  const client = useClient();
  const refused = useRefused();
  if (refused.length === 0) return null;
  return (
    <section className="notice bad refused" aria-label="Refused commands">
      <p role="alert">
        {refused.length === 1 ? 'An entry' : `${refused.length.toLocaleString('en')} entries`} of yours could not stand
        when this ledger was synced, and {refused.length === 1 ? 'is' : 'are'} not booked:
      </p>
      <ul>
        {refused.slice(0, shown).map((one) => (
          <RefusedLine key={one.commandId} refused={one} />
        ))}
      </ul>
      {refused.length > shown && (
        <button type="button" onClick={() => void client.dropRefused(refused.map(({ commandId }) => commandId))}>
          Dismiss all {refused.length.toLocaleString('en')}
        </button>
      )}
    </section>
  );
}

function RefusedLine({ refused }: { readonly refused: RefusedCommit }) {
  const client = useClient();
  const owners = useProjection(Accounts, (rows) => rows);
  const [problem, setProblem] = useState('');
  const textId = useId();
  const { commandId, request, reason, rejection } = refused;
  const why = rejection === undefined ? reason.text : rejectionToText(rejection.code, rejection.details);
  const dismiss = () => client.dropRefused([commandId]);
  const tryAgain = async () => {
    // Decided on the balance of now, and under an id that follows from the first: two tabs that try again book once.
    const receipt = await client.execute(request?.commands ?? [], { commandId: `${commandId}-again` });
    setProblem(receiptToText(receipt));
    if (receipt.status === 'saved') await dismiss();
  };
  return (
    <li className="refused-line">
      <p id={textId}>
        <strong>{toRefusedText(refused.commit, (id) => owners.get(id)?.owner)}</strong>{' '}
        {problem === '' ? why : <span role="alert">Still not possible. {problem}</span>}
      </p>
      {request !== undefined && (
        <button type="button" aria-describedby={textId} onClick={() => void tryAgain()}>
          Try again
        </button>
      )}
      <button type="button" aria-describedby={textId} onClick={() => void dismiss()}>
        Dismiss
      </button>
    </li>
  );
}
