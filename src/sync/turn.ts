import type { SyncEnv } from '../protocol/sync-host.ts';
import { followSignals, orAborted } from './abort.ts';
import { SyncRefusal } from './transport.ts';

/** One cycle's hold on time: nothing in it waits for ever. */
export interface Turn {
  /** Waits for the host: to its end, for a transaction cannot be called back. Throws where the turn is over by then. */
  step<Value>(work: Promise<Value>): Promise<Value>;
  /** Waits for the server, for 30 s at most, or so many times as long, and not a moment longer than the turn. */
  ask<Value>(call: (signal: AbortSignal) => Promise<Value>, patience?: number): Promise<Value>;
}

/** For a request that needs no patience. */
export const requestMs = 30_000;

/** Longest time without a step; what hangs for longer is left to itself, and a new cycle begins. */
export const stallMs = 60_000;

/**
 * Runs the work until it is done or the signal is aborted; then requests end at once, and a transaction of the host is
 * waited for. Throws `STALLED` where nothing moves any more: what was left behind can do no harm when it wakes, for its
 * next step throws, and every change of the host compares first.
 */
export async function takeTurn<Result>(
  env: SyncEnv,
  parent: AbortSignal,
  onStep: () => void,
  work: (turn: Turn) => Promise<Result>,
): Promise<Result> {
  const { controller, release } = followSignals(parent);
  const stall = new AbortController();
  let cancelWatch = () => {};
  const beat = () => {
    onStep();
    cancelWatch();
    cancelWatch = env.callLater(
      () => stall.abort(new SyncRefusal('STALLED', 'Sync did not move for a minute: it is started anew.')),
      stallMs,
    );
  };

  async function step<Value>(value: Promise<Value>): Promise<Value> {
    const result = await value;
    controller.signal.throwIfAborted();
    beat();
    return result;
  }

  async function ask<Value>(call: (signal: AbortSignal) => Promise<Value>, patience = 1): Promise<Value> {
    const limit = followSignals(controller.signal);
    let cancel = () => {};
    const wait = (left: number) => {
      cancel = env.callLater(() => {
        if (left > 1) {
          // A request that goes on for minutes comes to its own end: it does not stall.
          beat();
          return wait(left - 1);
        }
        const text = `The server did not answer within ${(patience * requestMs) / 1_000} s.`;
        limit.controller.abort(new SyncRefusal('TIMEOUT', text));
      }, requestMs);
    };
    wait(patience);
    try {
      // A transport may overlook its signal.
      return await step(orAborted(call(limit.controller.signal), limit.controller.signal));
    } finally {
      cancel();
      limit.release();
    }
  }

  beat();
  try {
    return await orAborted(work({ step, ask }), stall.signal);
  } finally {
    cancelWatch();
    release();
    controller.abort(stall.signal.reason);
  }
}
