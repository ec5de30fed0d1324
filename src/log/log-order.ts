import type { SyncBase } from '../protocol/sync-messages.ts';
import type { LogOrder, RebaseListener } from './event-log.ts';

/** What a synchronised log keeps of its order, beside its end. */
export interface SyncRecord {
  /** Up to where a server has confirmed the log. */
  readonly base: SyncBase;
  /** How many times what is pending was put into another order. */
  readonly rebases: number;
  /** How many times a server was put back, and what was confirmed became pending. */
  readonly setBacks: number;
  /** The positions after which the last rebases changed the log; the newest last. */
  readonly forks: readonly number[];
}

/** The order as one opening of a log has found it, and who is to be told of its changes. */
export interface OrderWatch {
  readonly order: LogOrder;
  listen(listener: RebaseListener): () => void;
  /** Called by each transaction with what it found, before anybody gets what it has read. */
  notice(sync: SyncRecord | undefined): void;
  close(): void;
}

/** The lowest fork of the rebases after the first `known` ones; 0 where it is not known any more. */
export function forkSince({ rebases, forks }: SyncRecord, known: number): number {
  const missed = rebases - known;
  return missed > forks.length ? 0 : Math.min(...forks.slice(-missed));
}

export function createOrderWatch(found: SyncRecord | undefined): OrderWatch {
  const listeners = new Set<RebaseListener>();
  let order: LogOrder = { confirmed: found?.base.g, rebases: found?.rebases ?? 0 };
  let setBacks = found?.setBacks ?? 0;
  return {
    get order() {
      return order;
    },
    listen: (listener) => {
      // One of its own for each call: the same function may listen twice.
      const own: RebaseListener = (fork, isSetBack) => listener(fork, isSetBack);
      listeners.add(own);
      return () => listeners.delete(own);
    },
    notice: (sync) => {
      if (sync === undefined) return;
      const { base, rebases } = sync;
      const known = order.rebases;
      if (order.confirmed === base.g && known === rebases) return;
      order = { confirmed: base.g, rebases };
      if (known === rebases) return;
      const fork = forkSince(sync, known);
      const isSetBack = sync.setBacks !== setBacks;
      ({ setBacks } = sync);
      for (const listener of [...listeners]) listener(fork, isSetBack);
    },
    close: () => listeners.clear(),
  };
}
