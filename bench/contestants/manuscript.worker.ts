import { startWorker } from 'varve/worker';
import { manuscript } from '../manuscript.ts';

startWorker(manuscript);
