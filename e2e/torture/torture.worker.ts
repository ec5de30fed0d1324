import { startWorker } from 'varve/worker';
import { torture } from './counter.ts';

startWorker(torture);
