import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { FailureError } from 'varve';
import { createClient } from 'varve/client';
import { VarveProvider } from 'varve/react';
import { config } from 'zod';
import { App } from './app.tsx';
import { ledger } from './ledger/ledger.ts';
import { PwaNotice } from './pwa-notice.tsx';
import './styles.css';

// The page's content security policy forbids `new Function`, with which zod would compile its checks.
config({ jitless: true });

const client = createClient(
  ledger,
  () => new Worker(new URL('./ledger/ledger.worker.ts', import.meta.url), { type: 'module' }),
);

const root = document.getElementById('root');
if (root === null) throw new Error('The page has no element "root".');
createRoot(root, {
  // A failure of the storage is no bug: the notice says it.
  onCaughtError: (error) => {
    if (!(error instanceof FailureError)) console.error(error);
  },
}).render(
  <StrictMode>
    <VarveProvider client={client}>
      <App notice={<PwaNotice />} />
    </VarveProvider>
  </StrictMode>,
);
