import type { App } from '../core/app.ts';
import type { Env } from '../core/env.ts';
import { FailureError } from '../core/errors.ts';
import { createUpcaster } from '../core/upcast.ts';
import { isStored } from '../log/database.ts';
import { openDexieEventLog } from '../log/dexie-event-log.ts';
import { randomId } from '../protocol/random-id.ts';
import type { Sync } from '../protocol/sync-host.ts';
import { createCurrentLog } from './current-log.ts';
import { databaseName } from './database-name.ts';
import { createDecideAcross } from './decide-across.ts';
import { openSyncing } from './syncing/syncing.ts';

export interface BackgroundOptions {
  readonly sync: Sync;
  /** Id of the log, where another device began it (`ClientOptions.log`); this device's own by default. */
  readonly log?: string | undefined;
  /** How long it may take; 25 s by default. Chromium ends a service worker that is busy for longer than some minutes. */
  readonly patienceMs?: number;
}

/**
 * Syncs a log while no page of the app is open: for the service worker, when the browser says that the network is back.
 *
 * Resolves when the log and the server are in step, or nothing waits here and a page looks after the rest; at once where
 * this device has no such log. Throws what is in the way, so that the browser calls again: nothing is lost by that.
 *
 * Projections, reactors and processes stay with the pages. Nothing is imported while it runs, which service workers
 * may not.
 *
 * ### Example
 * ```ts
 * addEventListener('sync', (event) => event.waitUntil(syncInBackground(bank, { sync: httpSync({ url, token }) })));
 * ```
 */
export async function syncInBackground(
  app: App,
  { sync, log: logId, patienceMs = 25_000 }: BackgroundOptions,
): Promise<void> {
  const name = databaseName(app, logId);
  // Not even an empty one is made: a page would take it for a log that was emptied.
  if (!(await isStored(name))) return;
  const env: Env = { now: () => Date.now(), newId: randomId };
  let look = (_failure?: FailureError) => {};
  const log = createCurrentLog(
    await openDexieEventLog({ name, env, logId, onClosed: (failure) => look(new FailureError(failure)) }),
    createUpcaster(app),
  );
  try {
    const syncing = await openSyncing({
      ...{ sync, app, env, log },
      createDecideAcross: app.decisions.size > 0 ? () => createDecideAcross(app) : undefined,
      onChange: () => look(),
      onMoved: () => undefined,
      onSetBack: () => undefined,
      // Sync says it itself, as its problem.
      onFailure: () => undefined,
    });
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        timer = setTimeout(() => reject(new Error(`Sync took longer than ${patienceMs / 1_000} s.`)), patienceMs);
        look = (failure) => {
          const { phase, pending, problem } = syncing.status;
          if (failure !== undefined) reject(failure);
          else if (phase === 'synced' || (phase === 'elsewhere' && pending === 0)) resolve();
          else if (phase === 'waiting' || phase === 'paused') reject(new Error(problem?.text ?? 'Sync waits.'));
        };
        syncing.start();
        // A page may rest until its own next time.
        syncing.wake();
      });
    } finally {
      clearTimeout(timer);
      look = () => {};
      await syncing.stop();
    }
  } finally {
    log.close();
  }
}
