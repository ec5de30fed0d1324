import type { PushedId, SyncEnv } from '../protocol/sync-host.ts';

/**
 * What a server has answered and not yet given back: it is not sent again for a while, and that is all an answer means.
 * In memory only: after a restart it is sent again, and known there.
 */
export interface Acknowledgements {
  /** Whether anything may be held back. */
  readonly isEmpty: boolean;
  has(id: PushedId): boolean;
  add(ids: readonly PushedId[]): void;
  /** They were pulled. */
  forget(commandIds: readonly string[]): void;
  clear(): void;
}

/** What was answered and is not given back within this time may have been lost: it is offered again. */
const holdMs = 300_000;

export function createAcknowledgements(env: Pick<SyncEnv, 'now'>): Acknowledgements {
  const held = new Map<string, { readonly digest: string; readonly at: number }>();
  return {
    get isEmpty() {
      return held.size === 0;
    },
    has: ({ commandId, digest }) => {
      const found = held.get(commandId);
      // A clock that was set back must not hold it for longer.
      return found?.digest === digest && Math.abs(env.now() - found.at) < holdMs;
    },
    add: (ids) => {
      for (const { commandId, digest } of ids) held.set(commandId, { digest, at: env.now() });
    },
    forget: (commandIds) => {
      for (const commandId of commandIds) held.delete(commandId);
    },
    clear: () => held.clear(),
  };
}
