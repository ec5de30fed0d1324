// The worker file of the engine's browser tests, as an app writes it.
import { startWorker } from '../engine/start-worker.ts';
import { counterApp } from './counter-app.ts';

startWorker(counterApp);
