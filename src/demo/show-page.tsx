import { type ReactNode, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { FailureError } from 'varve';
import type { Client } from 'varve/client';
import { VarveProvider } from 'varve/react';
import { config } from 'zod';

// The page's content security policy forbids `new Function`, with which zod would compile its checks.
config({ jitless: true });

/** Shows a demo in its page. */
export function showPage(client: Client, demo: ReactNode): void {
  const root = document.getElementById('root');
  if (root === null) throw new Error('The page has no element "root".');
  createRoot(root, {
    // A failure of the storage is no bug: the notice says it.
    onCaughtError: (error) => {
      if (!(error instanceof FailureError)) console.error(error);
    },
  }).render(
    <StrictMode>
      <VarveProvider client={client}>{demo}</VarveProvider>
    </StrictMode>,
  );
}
