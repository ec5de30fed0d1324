import type { LogOrder } from '../../log/event-log.ts';
import type { SyncTransaction } from '../../log/synced-log.ts';
import type { PushedId } from '../../protocol/sync-host.ts';

/** Pending commits that a server has said that it has: what they say in a receipt, and nothing else, hangs on it. */
export interface Acknowledged {
  readonly count: number;
  has(commandId: string): boolean;
  add(ids: readonly PushedId[]): void;
  delete(commandIds: Iterable<string>): void;
  clear(): void;
  /** What another tab has confirmed, or what was withdrawn, waits no more: it must not count as what the server has of the rest. */
  forgetSettled(transaction: SyncTransaction): Promise<void>;
}

export function createAcknowledged(log: { readonly order: LogOrder }): Acknowledged {
  const commandIds = new Set<string>();
  /** Where the log stood when they were last compared with it. */
  let comparedAt = '';
  return {
    get count() {
      return commandIds.size;
    },
    has: (commandId) => commandIds.has(commandId),
    add: (ids) => {
      for (const { commandId } of ids) commandIds.add(commandId);
    },
    delete: (ids) => {
      for (const commandId of ids) commandIds.delete(commandId);
    },
    clear: () => commandIds.clear(),
    forgetSettled: async ({ base: { g }, findCommit }) => {
      const at = `${g} ${log.order.rebases}`;
      if (at === comparedAt) return;
      for (const commandId of [...commandIds]) {
        const events = await findCommit(commandId);
        if ((events?.at(-1)?.position ?? 0) <= g) commandIds.delete(commandId);
      }
      comparedAt = at;
    },
  };
}
