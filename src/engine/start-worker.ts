import { expose } from 'comlink';
import type { App } from '../core/app.ts';
import type { Env } from '../core/env.ts';
import { openDexieEventLog } from '../log/dexie-event-log.ts';
import { throwPlainFailures } from '../protocol/plain-failures.ts';
import { randomId } from '../protocol/random-id.ts';
import type { Sync } from '../protocol/sync-host.ts';
import { databaseName } from './database-name.ts';
import { isDevelopment } from './development.ts';
import { createEngine } from './engine.ts';

/** Looked at when nothing else says that another tab wrote: hints may be missed. */
const lookIntervalMs = 30_000;

export interface WorkerOptions {
  /** Keeps the log in step with a server: `httpSync` of `varve/sync`, say. */
  readonly sync?: Sync;
}

/**
 * Runs an app's engine in this worker: the whole of the app's own worker file.
 *
 * Parts of it are loaded when they are needed, so it has to be bundled as a module: with Vite, `worker: { format: 'es' }`.
 *
 * ### Example
 * ```ts
 * import { startWorker } from 'varve/worker';
 * import { bank } from './bank';
 * startWorker(bank);
 * ```
 */
export function startWorker(app: App, { sync }: WorkerOptions = {}): void {
  const env: Env = { now: () => Date.now(), newId: randomId };
  const engine = createEngine({
    app,
    env,
    durable: true,
    checksPurity: isDevelopment(),
    openLog: (hint, onClosed, logId) =>
      openDexieEventLog({ name: databaseName(app, logId), env, hint, onClosed, logId }),
    sync,
    aliveLock: holdAliveLock,
    exclusively: runLocked,
  });
  setInterval(() => void engine.look(), lookIntervalMs);
  expose(throwPlainFailures(engine));
}

/** The browser frees the lock when the worker is gone, however it went: that is how the page hears of it. */
function holdAliveLock(): Promise<string> {
  const name = `varve:alive:${randomId()}`;
  if (typeof navigator === 'undefined' || navigator.locks === undefined) return Promise.resolve('');
  return new Promise((resolve) => {
    const hold = () => {
      resolve(name);
      return new Promise<never>(() => undefined);
    };
    // Refused (to a page that is being left, or by its settings), it is done without: the page waits for an answer.
    navigator.locks.request(name, hold).catch(() => resolve(''));
  });
}

/** Once per browser: the next tab's worker is granted the lock when this one is gone. */
async function runLocked(name: string, work: () => Promise<void>, signal: AbortSignal): Promise<void> {
  await (navigator.locks?.request(name, { signal }, work) ?? work());
}
