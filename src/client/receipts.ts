import type { CommandState, Receipt, Sending } from '../core/receipt.ts';

/** What became of commands, by their ids: for who did not send them, or lost the answer with the page. */
export interface Receipts {
  /**
   * What this page knows, without asking: the command is on its way, its receipt, or undefined. Knows the commands of
   * this page, about the last thousand of them, and what was looked up.
   */
  get(commandId: string): CommandState | undefined;
  /**
   * The same; where this page does not know, the log is asked, which knows every command that was ever saved and had
   * events. Throws `FailureError` where it cannot be read.
   */
  find(commandId: string): Promise<CommandState | undefined>;
  /** Calls `listener` when something else is known of this command. */
  subscribe(commandId: string, listener: () => void): () => void;
}

/** The side of the receipts that the client feeds. */
export interface ReceiptKeeper {
  readonly receipts: Receipts;
  /** Notes that a command is on its way, and then its receipt. */
  follow(commandId: string, answer: Promise<Receipt>): Promise<Receipt>;
  /** What was saved may have been pushed, confirmed or refused. */
  refresh(): void;
}

/** Receipts that are kept: those of a long session, in some hundred kB. */
const maxKept = 1000;

export function createReceipts(findInLog: (commandId: string) => Promise<CommandState | undefined>): ReceiptKeeper {
  /** How many calls of a command are on their way: the same id may be sent again meanwhile. */
  const sendingById = new Map<string, { readonly sending: Sending; count: number }>();
  /** Oldest first. */
  const receiptsById = new Map<string, CommandState>();
  /** Those that may have moved on since they were looked up. */
  const staleIds = new Set<string>();
  const listenersById = new Map<string, Set<() => void>>();
  const lookupsById = new Map<string, Promise<void>>();

  function tell(commandId: string): void {
    for (const listener of listenersById.get(commandId) ?? []) listener();
  }

  function keep(commandId: string, receipt: CommandState): void {
    staleIds.delete(commandId);
    receiptsById.delete(commandId);
    receiptsById.set(commandId, receipt);
    if (receiptsById.size <= maxKept) return;
    // What is on screen stays.
    for (const id of receiptsById.keys()) {
      if (listenersById.has(id)) continue;
      staleIds.delete(id);
      receiptsById.delete(id);
      return;
    }
  }

  const get = (commandId: string) => sendingById.get(commandId)?.sending ?? receiptsById.get(commandId);

  async function lookUp(commandId: string): Promise<void> {
    const known = get(commandId);
    let receipt: CommandState | undefined;
    do {
      staleIds.delete(commandId);
      receipt = await findInLog(commandId);
      // Moved on while it was asked for.
    } while (staleIds.has(commandId));
    // Sent by this page meanwhile: its own answer is the newer one.
    if (receipt === undefined || get(commandId) !== known) return;
    keep(commandId, receipt);
    tell(commandId);
  }

  async function find(commandId: string): Promise<CommandState | undefined> {
    if (get(commandId) === undefined || staleIds.has(commandId)) {
      const lookup = lookupsById.get(commandId) ?? lookUp(commandId).finally(() => lookupsById.delete(commandId));
      lookupsById.set(commandId, lookup);
      await lookup;
    }
    return get(commandId);
  }

  return {
    receipts: {
      get,
      find,
      subscribe: (commandId, listener) => {
        const listeners = listenersById.get(commandId) ?? new Set();
        listenersById.set(commandId, listeners.add(listener));
        return () => {
          listeners.delete(listener);
          if (listeners.size === 0 && listenersById.get(commandId) === listeners) listenersById.delete(commandId);
        };
      },
    },
    refresh: () => {
      for (const [commandId, { status }] of receiptsById) {
        // Also what was confirmed: a server that was put back makes it wait again.
        if (status === 'rejected' || status === 'failed') continue;
        staleIds.add(commandId);
        // Where the log cannot be read, the status says so.
        if (listenersById.has(commandId)) find(commandId).catch(() => undefined);
      }
    },
    follow: async (commandId, answer) => {
      const entry = sendingById.get(commandId) ?? { sending: { status: 'sending', commandId } as const, count: 0 };
      entry.count += 1;
      sendingById.set(commandId, entry);
      tell(commandId);
      try {
        const receipt = await answer;
        keep(commandId, receipt);
        return receipt;
      } finally {
        entry.count -= 1;
        if (entry.count === 0) sendingById.delete(commandId);
        tell(commandId);
      }
    },
  };
}
