export { startWorker, type WorkerOptions } from './start-worker.ts';
export { type BackgroundOptions, syncInBackground } from './sync-in-background.ts';
