import { expose } from 'comlink';
import type { WorkerLike } from '../client/connection.ts';
import type { App } from '../core/app.ts';
import type { Env } from '../core/env.ts';
import { createEngine } from '../engine/engine.ts';
import type { EventLog } from '../log/event-log.ts';
import { throwPlainFailures } from '../protocol/plain-failures.ts';

export interface InProcessWorkerOptions {
  readonly app: App;
  readonly log: EventLog;
  readonly env?: Env;
}

/**
 * The engine in this process, behind a real MessageChannel: everything crosses as it does to a worker. Ending it drops
 * what it had not answered; the log stays.
 */
export function createInProcessWorker({ app, log, env = createTestEnv() }: InProcessWorkerOptions): WorkerLike {
  const { port1, port2 } = new MessageChannel();
  const engine = createEngine({ app, env, openLog: async () => keepOpen(log), durable: false });
  expose(throwPlainFailures(engine), port1);
  return {
    addEventListener: (type, listener) => port2.addEventListener(type, listener as EventListener),
    removeEventListener: (type, listener) => port2.removeEventListener(type, listener as EventListener),
    postMessage: (message, transfer) => port2.postMessage(message, transfer ?? []),
    start: () => port2.start(),
    terminate: () => {
      engine.close();
      port1.close();
      port2.close();
    },
  };
}

/** The worker's own end of a log that others use: closing it leaves theirs open. */
function keepOpen(log: EventLog): EventLog {
  return {
    logId: log.logId,
    snapshots: log.snapshots,
    openCheckpoints: () => log.openCheckpoints(),
    write: (work, options) => log.write(work, options),
    read: (query) => log.read(query),
    readCommits: (from) => log.readCommits(from),
    verify: (options) => log.verify(options),
    head: () => log.head(),
    revisions: (streams) => log.revisions(streams),
    onGrowth: (listener) => log.onGrowth(listener),
    close: () => undefined,
  };
}

/** Ids count up and the clock ticks a millisecond per look: the same run gives the same log. */
export function createTestEnv(): Env {
  let ids = 0;
  let nowMs = 1_000_000;
  return {
    newId: () => {
      ids += 1;
      return `id-${ids}`;
    },
    now: () => {
      nowMs += 1;
      return nowMs;
    },
  };
}
