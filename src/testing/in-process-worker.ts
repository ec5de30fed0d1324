import { expose } from 'comlink';
import type { WorkerLike } from '../client/connection.ts';
import type { Env } from '../core/env.ts';
import { FailureError } from '../core/errors.ts';
import { createEngine, type EngineOptions } from '../engine/engine.ts';
import type { EventLog } from '../log/event-log.ts';
import { throwPlainFailures } from '../protocol/plain-failures.ts';

export interface InProcessWorkerOptions extends Pick<EngineOptions, 'app' | 'exclusively' | 'sync' | 'syncing'> {
  readonly log: EventLog;
  readonly env?: Env;
  /** Whether rules are run twice and compared, as in development; on by default. */
  readonly checksPurity?: boolean;
}

/**
 * The engine in this process, behind a real MessageChannel: everything crosses as it does to a worker. Ending it drops
 * what it had not answered, and it no longer reaches the log; the log stays.
 */
export function createInProcessWorker({
  log,
  env = createTestEnv(),
  checksPurity = true,
  ...options
}: InProcessWorkerOptions): WorkerLike {
  const { port1, port2 } = new MessageChannel();
  let ended = false;
  const forgets = new Set<() => void>();
  const listen = (forget: () => void): (() => void) => {
    // The engine may have been starting.
    if (ended) forget();
    else forgets.add(forget);
    return () => {
      forgets.delete(forget);
      forget();
    };
  };
  const requireAlive = (): EventLog => {
    if (ended) throw new FailureError({ type: 'storage.failed', text: 'The worker was ended.' });
    return log;
  };
  const engine = createEngine({
    ...options,
    env,
    checksPurity,
    openLog: async () => whileAlive(log, requireAlive, listen),
    durable: false,
  });
  expose(throwPlainFailures(engine), port1);
  return {
    addEventListener: (type, listener) => port2.addEventListener(type, listener as EventListener),
    removeEventListener: (type, listener) => port2.removeEventListener(type, listener as EventListener),
    postMessage: (message, transfer) => port2.postMessage(message, transfer ?? []),
    start: () => port2.start(),
    terminate: () => {
      ended = true;
      for (const forget of forgets) forget();
      engine.close();
      port1.close();
      port2.close();
    },
  };
}

/** The worker's own end of a log that others use: closing it leaves theirs open. `listen` ends what it listens to. */
function whileAlive(log: EventLog, requireAlive: () => EventLog, listen: (forget: () => void) => () => void): EventLog {
  return {
    logId: log.logId,
    address: log.address,
    snapshots: {
      saveProjections: async (saved) => requireAlive().snapshots.saveProjections(saved),
      loadProjections: async () => requireAlive().snapshots.loadProjections(),
      saveStates: async (states) => requireAlive().snapshots.saveStates(states),
      loadStates: async (streams) => requireAlive().snapshots.loadStates(streams),
      clear: async () => requireAlive().snapshots.clear(),
    },
    openCheckpoints: async () => {
      const store = await requireAlive().openCheckpoints();
      return {
        load: async (consumer) => requireAlive() && store.load(consumer),
        save: async (consumer, change) => requireAlive() && store.save(consumer, change),
        loadInstances: async (consumer, keys) => requireAlive() && store.loadInstances(consumer, keys),
        nextDeadline: async (consumer) => requireAlive() && store.nextDeadline(consumer),
      };
    },
    write: async (work, options) => requireAlive().write(work, options),
    read: (query) => requireAlive().read(query),
    readCommits: (from) => requireAlive().readCommits(from),
    verify: async (options) => requireAlive().verify(options),
    head: async () => requireAlive().head(),
    revisions: async (streams) => requireAlive().revisions(streams),
    get order() {
      return log.order;
    },
    onRebase: (listener) => listen(log.onRebase(listener)),
    openSync: async () => {
      const synced = await requireAlive().openSync();
      return { write: async (work, options) => requireAlive() && synced.write(work, options) };
    },
    onGrowth: (listener) => listen(log.onGrowth(listener)),
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
