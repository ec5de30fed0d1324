import { FailureError } from '../core/errors.ts';
import type { SyncHost, SyncProgress, SyncReason, SyncRun } from '../protocol/sync-host.ts';
import type { SyncPoke } from '../protocol/sync-messages.ts';
import { followSignals } from './abort.ts';
import { createAlarm } from './alarm.ts';
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
  /** Only `wake` ends it before its time. */
  readonly isHeld: boolean;
}

const lookMs = 60_000;
/** Where hints come, a look is only for those that were lost. */
const lookWithHintsMs = 300_000;
const pauseMs = 300_000;
/** A thousand clients that hear of the same thing do not come in the same moment. */
const spreadMs = 1_000;
/** Between the beginnings of two cycles: who saves ten times a second must not run into the server's limit. */
const paceMs = 300;

/** Time alone mends none of these. */
const pausing: readonly string[] = ['AUTH', 'FORBIDDEN', 'APP_MISMATCH', 'UPGRADE_REQUIRED'];

/**
 * Keeps a log in step with its server: one cycle after the other, with a rest between them that always has an end.
 *
 * It never gives up. Whatever a cycle throws, the next one is set for a time, and everything that is waited for ends by
 * itself: a request after 30 s, anything else after a minute without a step.
 */
export function startLoop(host: SyncHost, transport: SyncTransport, principal: () => string): SyncRun {
  const { env } = host;
  const session = createSession(host, transport, principal);
  const alarm = createAlarm(env);
  const backoff = createBackoff(env);
  const stopping = new AbortController();
  let syncedAt: number | undefined;
  let startedAt = 0;
  let reported = '';

  const hints = createHints(transport, {
    logId: host.logId,
    env,
    onPoke: hear,
    onBreak: (delayMs) => alarm.hasten('listen', delayMs),
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
      let rest: Rest = { phase: 'elsewhere', ms: env.random() * spreadMs, isHeld: true };
      try {
        await host.exclusively(async (signal) => {
          cancel();
          await work(signal);
        }, stopping.signal);
      } catch (error) {
        rest = restAfter(error);
      }
      cancel();
      // It was taken over by another tab, or the browser has no locks to give: asked again, but not at once.
      await take(rest, stopping.signal);
    }
    globalThis.removeEventListener?.('online', noteOnline);
    forgetPending();
  }

  /** Says so again and again while another tab does the work, for `nextWakeAt` must not lie in the past. */
  function reportElsewhere(): () => void {
    let cancel = () => {};
    const tell = () => {
      report({ phase: 'elsewhere', nextWakeAt: env.now() + lookMs });
      cancel = env.callLater(tell, lookMs);
    };
    tell();
    return () => cancel();
  }

  async function work(given: AbortSignal): Promise<void> {
    const { controller, release } = followSignals(given, stopping.signal);
    const { signal } = controller;
    // Another tab may have met another server since.
    session.greetAgain();
    while (!signal.aborted) {
      const rest = await cycle(signal);
      if (!signal.aborted) await take(rest, signal);
    }
    hints.stop();
    release();
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
      const problem = await takeTurn(env, signal, tell, (turn) => session.run(turn));
      backoff.reset();
      hints.start(principal(), signal);
      const ms = (hints.isLive ? lookWithHintsMs : lookMs) * (0.75 + env.random() / 2);
      if (problem !== undefined) return { phase: 'paused', problem, ms, isHeld: false };
      syncedAt = env.now();
      return { phase: 'synced', ms, isHeld: false };
    } catch (error) {
      hints.stop();
      session.greetAgain();
      return restAfter(error);
    }
  }

  function restAfter(error: unknown): Rest {
    const problem = toReason(error);
    const { after, commandId } = error instanceof SyncRefusal ? error.detail : {};
    // The code of one commit is the policy's.
    const isPausing = commandId === undefined && pausing.includes(problem.code);
    if (isPausing) return { phase: 'paused', problem, ms: pauseMs, isHeld: true };
    return { phase: 'waiting', problem, ms: backoff.next(after), isHeld: true };
  }

  function take({ phase, problem, ms, isHeld }: Rest, signal: AbortSignal): Promise<void> {
    const onTime = (nextWakeAt: number) => report({ phase, ...(problem === undefined ? {} : { problem }), nextWakeAt });
    return alarm.rest(ms, { isHeld, onTime, signal });
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

/** Why a cycle failed: what is told to people. */
function toReason(error: unknown): SyncReason {
  if (error instanceof SyncRefusal) return { code: error.code, text: error.message };
  if (error instanceof FailureError) return { code: error.failure.type, text: error.failure.text };
  // A defect: it is shown and tried again, for what is not sent is worse than what is sent late.
  return { code: 'FAILED', text: error instanceof Error ? error.message : String(error) };
}
