import { FailureError } from '../core/errors.ts';
import type { SyncHost, SyncProgress, SyncReason, SyncRun } from '../protocol/sync-host.ts';
import type { SyncPoke } from '../protocol/sync-messages.ts';
import { followSignals } from './abort.ts';
import { createAlarm, type WakeCause } from './alarm.ts';
import { createBackoff } from './backoff.ts';
import { createHints } from './hints.ts';
import { createSession } from './session.ts';
import { SyncRefusal, type SyncTransport } from './transport.ts';
import { stallMs, takeTurn } from './turn.ts';

/** How long to rest after a cycle, and how it is called. */
interface Rest {
  readonly phase: 'synced' | 'waiting' | 'paused' | 'elsewhere';
  readonly problem?: SyncReason;
  readonly ms: number;
  readonly wokenBy: readonly WakeCause[];
  /** Of a pause: only the push has to wait, and what others write is pulled meanwhile. */
  readonly listens?: true;
}

const byAll: readonly WakeCause[] = ['wake', 'pending', 'poke', 'listen'];
/** Nothing more can be pushed, and what others write can be pulled. */
const byOthers: readonly WakeCause[] = ['wake', 'poke', 'listen'];
const byWake: readonly WakeCause[] = ['wake'];

const lookMs = 60_000;
/** Where hints come, a look is only for those that were lost. */
const lookWithHintsMs = 300_000;
const pauseMs = 300_000;
/** How long a browser may take to say whether another tab syncs. */
const askingMs = 300;
/** A thousand clients that hear of the same thing do not come in the same moment. */
const spreadMs = 1_000;
/** Between the beginnings of two cycles: who saves ten times a second must not run into the server's limit. */
const paceMs = 300;

/** Time alone mends none of these. */
const pausing: readonly string[] = ['AUTH', 'FORBIDDEN', 'APP_MISMATCH', 'UPGRADE_REQUIRED', 'storage.outdated'];

/**
 * Keeps a log in step with its server: one cycle after the other, with a rest between them that always has an end. Where
 * another tab does it, it waits until that one no longer does.
 *
 * It never gives up. Whatever a cycle throws, the next one is set for a time, within the hour also where a server asks for
 * more, and everything that is waited for ends by itself: a request after 30 s, one commit on a slow line after four
 * minutes, anything else after a minute without a step.
 */
export function startLoop(host: SyncHost, transport: SyncTransport, principal: () => string): SyncRun {
  const { env } = host;
  const session = createSession({ host, transport, principal });
  const alarm = createAlarm(env);
  const backoff = createBackoff(env);
  const stopping = new AbortController();
  let syncedAt: number | undefined;
  let startedAt = 0;
  let isWoken = false;
  let reported = '';
  /** A commit that the server does not take for now. */
  let waiting: { readonly obstacle: SyncRefusal; readonly since: number; readonly until: number } | undefined;

  const hints = createHints(transport, {
    logId: host.logId,
    env,
    onPoke: hear,
    onBreak: (delayMs) => {
      // A server that was replaced ends its lines: it may take this build of the app no more.
      session.greetAgain();
      alarm.hasten('listen', delayMs);
    },
  });

  function report(progress: Omit<SyncProgress, 'syncedAt'>): void {
    const all: SyncProgress = { ...progress, ...(syncedAt === undefined ? {} : { syncedAt }) };
    const text = JSON.stringify(all);
    if (text !== reported) host.report(all);
    reported = text;
  }

  function hear(poke: SyncPoke): void {
    const isNews = () => !session.isKnown(poke);
    if (!isNews()) return;
    if (session.epoch !== poke.epoch) session.greetAgain();
    // Own pushes are poked too, and known when the time has come.
    alarm.hasten('poke', env.random() * spreadMs, isNews);
  }

  function wake(delayMs = 0): void {
    backoff.reset();
    waiting = undefined;
    isWoken = true;
    alarm.hasten('wake', delayMs);
  }

  const notePending = () => alarm.hasten('pending', Math.min(paceMs, Math.max(0, startedAt + paceMs - env.now())));

  const noteOnline = () => {
    hints.stop();
    wake(env.random() * spreadMs);
  };

  async function run(): Promise<void> {
    const forgetPending = host.onPending(notePending);
    // Not everywhere: a worker has it, a test in Node has not.
    globalThis.addEventListener?.('online', noteOnline);
    while (!stopping.signal.aborted) {
      const cancel = reportElsewhere();
      // To ask for the lock answers every wish: one that was left would end each rest at once.
      alarm.clear();
      let rest: Rest = { phase: 'elsewhere', ms: env.random() * spreadMs, wokenBy: byWake };
      const over = new AbortController();
      let working = Promise.resolve();
      try {
        await host.exclusively((signal) => {
          cancel();
          working = work(signal, over.signal).then((pause) => {
            rest = pause ?? rest;
          });
          return working;
        }, stopping.signal);
      } catch (error) {
        // Browsers say so where another tab took the lock away.
        if (!isAbort(error)) rest = restAfter(error);
      }
      cancel();
      over.abort();
      // It may be in the middle of a transaction: two at a time would share an alarm and a memory.
      await working.catch(() => undefined);
      // Another tab has it, or the browser has no locks to give: asked again, but not at once. Or another tab may have it.
      await take(rest, stopping.signal);
    }
    globalThis.removeEventListener?.('online', noteOnline);
    forgetPending();
  }

  /** Says so again and again while another tab does the work, for `nextWakeAt` must not lie in the past. */
  function reportElsewhere(): () => void {
    const tell = () => {
      report({ phase: 'elsewhere', nextWakeAt: env.now() + lookMs });
      cancel = env.callLater(tell, lookMs);
    };
    // Where no other tab does, this one is asked before that.
    let cancel = env.callLater(tell, askingMs);
    return () => cancel();
  }

  /**
   * Ends where it has to pause: another tab may be of a newer build, or somebody may have signed in there. Where only the
   * push has to wait, it goes on for a minute first, or until somebody wakes it.
   *
   * @returns the pause, which is rested without the lock.
   */
  async function work(...given: readonly AbortSignal[]): Promise<Rest | undefined> {
    const { controller, release } = followSignals(...given, stopping.signal);
    const { signal } = controller;
    let pausedAt: number | undefined;
    isWoken = false;
    // Another tab may have met another server since.
    session.greetAgain();
    try {
      while (!signal.aborted) {
        const rest = await cycle(signal);
        if (rest.phase !== 'paused') pausedAt = undefined;
        else if (!rest.listens) return rest;
        else pausedAt ??= env.now();
        const left = pausedAt === undefined ? rest.ms : lookMs - Math.abs(env.now() - pausedAt);
        if (pausedAt !== undefined && (isWoken || left <= 0)) return { ...rest, ms: 0 };
        if (!signal.aborted) await take({ ...rest, ms: Math.min(rest.ms, left) }, signal);
      }
      return undefined;
    } finally {
      // Also where the app's own `principal` threw while a failure was dealt with.
      hints.stop();
      release();
    }
  }

  async function cycle(signal: AbortSignal): Promise<Rest> {
    alarm.clear();
    startedAt = env.now();
    let told = 0;
    const tell = () => {
      // Of a long one it is said again, for `nextWakeAt` must not lie in the past.
      if (Math.abs(env.now() - told) < stallMs / 2) return;
      told = env.now();
      report({ phase: 'syncing', nextWakeAt: told + stallMs });
    };
    try {
      // A clock that was set back must not make it longer.
      if (waiting !== undefined && (startedAt >= waiting.until || startedAt < waiting.since)) waiting = undefined;
      const problem = await takeTurn(env, signal, tell, (turn) => session.run(turn, waiting?.obstacle));
      backoff.reset();
      waiting = undefined;
      hints.start(principal(), signal);
      const ms = lookTime();
      if (problem !== undefined) {
        return { phase: 'paused', problem, ms: Math.min(ms, lookMs), wokenBy: byAll, listens: true };
      }
      syncedAt = env.now();
      return { phase: 'synced', ms, wokenBy: byAll };
    } catch (error) {
      if (error instanceof SyncRefusal && error.detail.commandId !== undefined) {
        hints.start(principal(), signal);
        return waitWith(error);
      }
      hints.stop();
      session.greetAgain();
      return restAfter(error);
    }
  }

  function lookTime(): number {
    return (hints.isLive ? lookWithHintsMs : lookMs) * (0.75 + env.random() / 2);
  }

  /** The line is good: looks go on, and it is pushed again when its time has come. */
  function waitWith(obstacle: SyncRefusal): Rest {
    const { code, message, detail } = obstacle;
    const now = env.now();
    if (waiting?.obstacle !== obstacle) waiting = { obstacle, since: now, until: now + backoff.next(detail.after) };
    const ms = Math.min(Math.max(0, waiting.until - now), lookTime());
    return { phase: 'waiting', problem: { code, text: message }, ms, wokenBy: byOthers };
  }

  function restAfter(error: unknown): Rest {
    const problem = toReason(error);
    if (pausing.includes(problem.code)) return { phase: 'paused', problem, ms: pauseMs, wokenBy: byWake };
    const after = error instanceof SyncRefusal ? error.detail.after : undefined;
    return { phase: 'waiting', problem, ms: backoff.next(after), wokenBy: byWake };
  }

  function take({ phase, problem, ms, wokenBy }: Rest, signal: AbortSignal): Promise<void> {
    const onTime = (nextWakeAt: number) => report({ phase, ...(problem === undefined ? {} : { problem }), nextWakeAt });
    return alarm.rest(ms, { wokenBy, onTime, signal });
  }

  const done = run();
  return {
    wake: () => wake(),
    stop: async () => {
      stopping.abort();
      await done;
    },
  };
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

/** Why a cycle failed: what is told to people. */
function toReason(error: unknown): SyncReason {
  if (error instanceof SyncRefusal) return { code: error.code, text: error.message };
  if (error instanceof FailureError) return { code: error.failure.type, text: error.failure.text };
  // A defect: it is shown and tried again, for what is not sent is worse than what is sent late.
  return { code: 'FAILED', text: error instanceof Error ? error.message : String(error) };
}
