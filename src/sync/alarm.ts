import type { SyncEnv } from '../protocol/sync-host.ts';

/** What may end a rest before its time. */
export type WakeCause = 'wake' | 'pending' | 'poke' | 'listen';

/** The one timer of the loop: there is always a next time, and something may bring it forward. */
export interface Alarm {
  /** Asks for a wake-up after some time, also while none rests: then it is for the next rest. */
  hasten(cause: WakeCause, delayMs: number, isWanted?: () => boolean): void;
  /** Takes back what was asked for: what comes now answers it. */
  clear(): void;
  /** Resolves when it is time, or the signal is aborted. */
  rest(ms: number, options: RestOptions): Promise<void>;
}

export interface RestOptions {
  /** What else is asked for is for the next rest. */
  readonly wokenBy: readonly WakeCause[];
  /** Hears when it will end, at first and whenever that changes. */
  readonly onTime: (wakeAt: number) => void;
  readonly signal: AbortSignal;
}

interface Wish {
  readonly at: number;
  readonly isWanted: () => boolean;
}

/** Timers stand still while a device sleeps, and the clock does not: it is looked at now and then. */
const glanceMs = 30_000;

export function createAlarm(env: SyncEnv): Alarm {
  const wishes = new Map<WakeCause, Wish>();
  let setTimer: (() => void) | undefined;

  return {
    hasten: (cause, delayMs, isWanted = () => true) => {
      const at = Math.min(env.now() + Math.ceil(delayMs), wishes.get(cause)?.at ?? Number.POSITIVE_INFINITY);
      wishes.set(cause, { at, isWanted });
      setTimer?.();
    },
    clear: () => wishes.clear(),
    rest: (ms, { wokenBy, onTime, signal }) =>
      new Promise((resolve) => {
        const end = env.now() + Math.ceil(ms);
        /** By the count of the timers: the clock may be set back. */
        let left = Math.ceil(ms);
        let wakeAt = end;
        let cancel = () => {};
        const finish = () => {
          cancel();
          setTimer = undefined;
          signal.removeEventListener('abort', finish);
          resolve();
        };
        const nextTime = () => {
          const wished = [...wishes]
            .filter(([cause, { isWanted }]) => wokenBy.includes(cause) && isWanted())
            .map(([, { at }]) => at);
          return Math.min(end, ...wished);
        };
        const set = () => {
          cancel();
          wakeAt = nextTime();
          const due = Math.min(left, Math.max(0, wakeAt - env.now()));
          const delay = Math.min(due, glanceMs);
          cancel = env.callLater(() => {
            left -= delay;
            if (delay === due || env.now() >= wakeAt) finish();
            else set();
          }, delay);
          onTime(Math.max(wakeAt, env.now()));
        };
        setTimer = () => {
          // A timer that is set anew begins to count anew: only for what comes sooner.
          if (nextTime() < wakeAt) set();
        };
        signal.addEventListener('abort', finish);
        if (signal.aborted) finish();
        else set();
      }),
  };
}
