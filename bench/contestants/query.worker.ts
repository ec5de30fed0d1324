import { startWorker } from 'varve/worker';
import { queryApp } from '../query-app.ts';

startWorker(queryApp);
