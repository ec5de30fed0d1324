import { useReceipt, useStatus } from 'varve/react';
import { hasServer } from './sync-text.ts';

/** How far a command has come that was saved here; nothing where there is no server to go to. */
export function ReceiptState({ commandId }: { readonly commandId: string }) {
  const { sync } = useStatus();
  const state = useReceipt(commandId);
  if (!hasServer(sync)) return null;
  switch (state?.status) {
    case 'saved':
      return <small>Waits to be synced.</small>;
    case 'pushed':
      return <small>The server has it.</small>;
    case 'confirmed':
      return <small>Confirmed by the server.</small>;
    case 'refused':
      return <small className="error">Refused since.</small>;
    default:
      return null;
  }
}

/** Position up to which entries are in the server's order; those behind may still move. All where there is no server. */
export function useConfirmed(): number {
  const { sync } = useStatus();
  return hasServer(sync) ? sync.confirmed : Number.POSITIVE_INFINITY;
}
