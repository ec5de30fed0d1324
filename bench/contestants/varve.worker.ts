import { startWorker } from 'varve/worker';
import { ledger } from '../ledger.ts';

startWorker(ledger);
