import type { ConsumerStatus } from '../../protocol/engine-api.ts';
import { createConsumerRun } from './consumer-run.ts';
import { type ConsumerTools, callLater } from './consumer-work.ts';

/**
 * Runs `work` while nobody else in this browser runs work of the same name; waits for its turn, until `signal` is
 * aborted. Whoever dies has ended: a Web Lock, never a heartbeat.
 */
export type Exclusively = (name: string, work: () => Promise<void>, signal: AbortSignal) => Promise<void>;

export interface ReactionsOptions extends ConsumerTools {
  readonly exclusively?: Exclusively | undefined;
}

/** The reactors and processes of an app, as far as this worker runs them. */
export interface Reactions {
  readonly status: readonly ConsumerStatus[];
  /** Runs them in this worker, or as soon as the one that runs them is gone; the first call counts. */
  start(): void;
  /** Looks at the log and at the clock: hints may have been missed, and timers stand still while a device sleeps. */
  wake(): void;
  stop(): void;
}

/** How long is waited where the lock could not even be asked for. */
const lockRetryMs = 5_000;

/** Resolves when the start of every new consumer is stored: events of commands that come later are its business. */
export async function openReactions(options: ReactionsOptions): Promise<Reactions> {
  const { app, log, env, exclusively = (_name, work) => work(), onChange } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const head = await log.head();
  const runs = [...app.consumers.values()].map((consumer) => createConsumerRun(consumer, head, options));
  // What cannot be stored now is tried again by the run, from this head on.
  await Promise.all(runs.map((run) => run.look().catch(() => undefined)));
  const stopListening = log.onGrowth((grownTo) => {
    for (const run of runs) run.wake(grownTo);
  });
  let started = false;

  async function runInTurn(): Promise<void> {
    const runAll = async () => void (await Promise.all(runs.map((run) => run.run(signal))));
    while (!signal.aborted) {
      // A lock that is refused (to a page that is being left) must not be the end: the page may come back.
      await exclusively(`varve:consumers:${log.address}`, runAll, signal).catch(() => pause(lockRetryMs));
    }
  }

  function pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const cancel = callLater(env, end, delayMs);
      signal.addEventListener('abort', end);
    });
  }

  return {
    get status() {
      return runs.map((run) => run.status);
    },
    start: () => {
      if (!started) void runInTurn();
      started = true;
      // Also where another tab runs them.
      onChange();
    },
    wake: () => {
      for (const run of runs) {
        if (run.status.isRunning) run.wake();
        // Another tab runs it: at least how far it came is known here.
        else void run.look().then(onChange, () => undefined);
      }
    },
    stop: () => {
      stopListening();
      stopping.abort();
    },
  };
}
