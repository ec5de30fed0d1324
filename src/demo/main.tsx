import { createClient } from 'varve/client';
import { App } from './app.tsx';
import { ledger } from './ledger/ledger.ts';
import { PwaNotice } from './pwa-notice.tsx';
import { showPage } from './show-page.tsx';
import './styles.css';
import './ledger/styles.css';

const client = createClient(
  ledger,
  () => new Worker(new URL('./ledger/ledger.worker.ts', import.meta.url), { type: 'module' }),
);

showPage(client, <App notice={<PwaNotice />} />);
