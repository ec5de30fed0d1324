import type { SyncEnv } from '../protocol/sync-host.ts';
import type { SyncPoke } from '../protocol/sync-messages.ts';
import { followSignals, orAborted } from './abort.ts';
import { createBackoff } from './backoff.ts';
import type { SyncTransport } from './transport.ts';

/** Listens for pokes, as long as there is somebody who gives some. */
export interface Hints {
  /** The server has spoken on this line. */
  readonly isLive: boolean;
  /** Does nothing where it listens already in that name. */
  start(principal: string, signal: AbortSignal): void;
  /** A line may be dead and not know it: after an error, and when the network comes back, it is drawn anew. */
  stop(): void;
}

export interface HintsOptions {
  readonly logId: string;
  readonly env: SyncEnv;
  readonly onPoke: (poke: SyncPoke) => void;
  /** A line that was live broke: hints may have been missed. */
  readonly onBreak: (delayMs: number) => void;
}

const soundMs = 60_000;

/** A server writes something at least every 30 s: a line that was silent for twice that, and a little, is dead. */
const silenceMs = 70_000;

export function createHints(transport: SyncTransport, { logId, env, onPoke, onBreak }: HintsOptions): Hints {
  const backoff = createBackoff(env);
  let line: { readonly principal: string; isLive: boolean; readonly stop: () => void } | undefined;

  async function listen(principal: string, parent: AbortSignal): Promise<void> {
    const { controller, release } = followSignals(parent);
    const { signal } = controller;
    const own = { principal, isLive: false, stop: () => controller.abort() };
    line = own;
    const since = env.now();
    let isSilent = false;
    let cancelWatch = () => {};
    const beat = () => {
      if (signal.aborted) return;
      cancelWatch();
      cancelWatch = env.callLater(() => {
        isSilent = true;
        controller.abort();
      }, silenceMs);
    };
    const hear = (poke: SyncPoke) => {
      if (signal.aborted) return;
      own.isLive = true;
      beat();
      onPoke(poke);
    };
    beat();
    try {
      await orAborted(transport.listen?.(logId, hear, { signal, principal }, beat) ?? Promise.resolve(), signal);
    } catch {
      // Whatever it was: a look that is made every minute will say so.
    }
    const isStopped = signal.aborted && !isSilent;
    // What still comes on it is not heard.
    controller.abort();
    cancelWatch();
    release();
    if (line === own) line = undefined;
    if (!own.isLive || isStopped) return;
    if (env.now() - since > soundMs) backoff.reset();
    onBreak(backoff.next());
  }

  return {
    get isLive() {
      return line?.isLive === true;
    },
    start: (principal, signal) => {
      if (transport.listen === undefined || line?.principal === principal) return;
      line?.stop();
      void listen(principal, signal);
    },
    stop: () => {
      line?.stop();
      line = undefined;
    },
  };
}
