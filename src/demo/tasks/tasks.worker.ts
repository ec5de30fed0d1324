import { startWorker } from 'varve/worker';
import { tasks } from './tasks.ts';

startWorker(tasks);
