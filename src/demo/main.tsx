import { createClient } from 'varve/client';
import { App } from './app.tsx';
import { ledger } from './ledger/ledger.ts';
import { askForBackgroundSync } from './ledger/sync/background-sync.ts';
import { readSharedLog, rememberOwnLog } from './ledger/sync/shared-log.ts';
import { PwaNotice } from './pwa-notice.tsx';
import { showPage } from './show-page.tsx';
import './styles.css';
import './ledger/styles.css';

const log = readSharedLog();
const client = createClient(
  ledger,
  () => new Worker(new URL('./ledger/ledger.worker.ts', import.meta.url), { type: 'module' }),
  log === undefined ? {} : { log },
);

if (log === undefined) rememberOwnLog(client);
askForBackgroundSync(client, log);

showPage(client, <App notice={<PwaNotice />} isShared={log !== undefined} />);
