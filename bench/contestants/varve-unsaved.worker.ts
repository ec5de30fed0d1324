import { startWorker } from 'varve/worker';
import { ledgerUnsaved } from '../ledger.ts';

startWorker(ledgerUnsaved);
