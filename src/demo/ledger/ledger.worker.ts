import { httpSync } from 'varve/sync';
import { startWorker } from 'varve/worker';
import { ledger } from './ledger.ts';
import { readToken } from './sync/read-token.ts';

startWorker(ledger, { sync: httpSync({ url: location.origin, token: readToken }) });
