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
  /** Asks for nothing any more. */
  close(): void;
}

/** Receipts that are kept: those of a long session, in some hundred kB. */
const maxKept = 1000;

/** How often what is on the screen is looked up, at most: a long pull moves on with each of its pages. */
const refreshMs = 200;

/** How long after the log could not be read it is asked again. */
const retryMs = 1_000;

/** What is known of a command. */
interface Known {
  /** Undefined where it is nowhere any more. */
  readonly state: CommandState | undefined;
  /** How often anything had moved on when it was asked for. */
  readonly asOf: number;
}

export function createReceipts(findInLog: (commandId: string) => Promise<CommandState | undefined>): ReceiptKeeper {
  /** How many calls of a command are on their way: the same id may be sent again meanwhile. */
  const sendingById = new Map<string, { readonly sending: Sending; count: number }>();
  /** Oldest first. */
  const knownById = new Map<string, Known>();
  const listenersById = new Map<string, Set<() => void>>();
  const lookupsById = new Map<string, Promise<void>>();
  /** How often anything may have moved on. */
  let moves = 0;
  let refreshedAt = Number.NEGATIVE_INFINITY;
  let willRefresh = false;
  let isClosed = false;
  const retries = new Map<string, ReturnType<typeof setTimeout>>();

  function tell(commandId: string): void {
    for (const listener of listenersById.get(commandId) ?? []) listener();
  }

  function keep(commandId: string, known: Known): void {
    knownById.delete(commandId);
    knownById.set(commandId, known);
    if (knownById.size <= maxKept) return;
    // What is on screen stays.
    for (const id of knownById.keys()) {
      if (listenersById.has(id)) continue;
      knownById.delete(id);
      return;
    }
  }

  const get = (commandId: string) => sendingById.get(commandId)?.sending ?? knownById.get(commandId)?.state;

  function isStale(commandId: string): boolean {
    const known = knownById.get(commandId);
    return known !== undefined && known.asOf < moves && canMove(known.state);
  }

  async function lookUp(commandId: string): Promise<void> {
    const before = get(commandId);
    const asOf = moves;
    const state = await findInLog(commandId);
    // Sent by this page meanwhile: its own answer is the newer one.
    if (get(commandId) !== before) return;
    const known = knownById.get(commandId)?.state;
    // Withdrawn and dropped, or lost with a server, and may come back; what failed was saved neither then nor before.
    const left = known?.status === 'failed' ? known : undefined;
    if (state !== undefined || isStale(commandId)) keep(commandId, { state: state ?? left, asOf });
    tell(commandId);
  }

  async function find(commandId: string): Promise<CommandState | undefined> {
    if (get(commandId) !== undefined && !isStale(commandId)) return get(commandId);
    const asked = moves;
    do {
      const lookup = lookupsById.get(commandId) ?? lookUp(commandId).finally(() => lookupsById.delete(commandId));
      lookupsById.set(commandId, lookup);
      await lookup;
      // One that was under way may have begun before. What moves on from here on is another answer.
    } while ((knownById.get(commandId)?.asOf ?? asked) < asked && isStale(commandId));
    return get(commandId);
  }

  /** For who listens. Where the log cannot be read, the status says so. */
  function refreshOne(commandId: string): void {
    if (!listenersById.has(commandId) || !isStale(commandId)) return;
    find(commandId).catch(() => {
      if (isClosed || retries.has(commandId)) return;
      const retry = () => {
        retries.delete(commandId);
        refreshOne(commandId);
      };
      retries.set(commandId, setTimeout(retry, retryMs));
    });
  }

  function refreshAll(): void {
    willRefresh = false;
    refreshedAt = performance.now();
    for (const commandId of knownById.keys()) refreshOne(commandId);
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
      moves += 1;
      if (!willRefresh) setTimeout(refreshAll, Math.max(0, refreshedAt + refreshMs - performance.now()));
      willRefresh = true;
    },
    close: () => {
      isClosed = true;
      for (const retry of retries.values()) clearTimeout(retry);
    },
    follow: async (commandId, answer) => {
      const entry = sendingById.get(commandId) ?? { sending: { status: 'sending', commandId } as const, count: 0 };
      entry.count += 1;
      sendingById.set(commandId, entry);
      // What it says may be older than what moved on while it was on its way.
      const asOf = moves;
      tell(commandId);
      try {
        const receipt = await answer;
        const known = knownById.get(commandId)?.state ?? receipt;
        // To what was sent again: that is known to be stored, and may have moved on since.
        const saysLess = 'position' in known && receipt.status !== 'rejected' && receipt.status !== known.status;
        // Where it failed, the log is asked: it may be stored all the same, or from before.
        keep(commandId, {
          state: saysLess ? known : receipt,
          asOf: saysLess || receipt.status === 'failed' ? -1 : asOf,
        });
        return receipt;
      } finally {
        entry.count -= 1;
        if (entry.count === 0) sendingById.delete(commandId);
        tell(commandId);
        refreshOne(commandId);
      }
    },
  };
}

/** Also what was confirmed: a server that was put back makes it wait again. What has no events is in no log. */
function canMove(state: CommandState | undefined): boolean {
  if (state?.status === 'saved') return state.events > 0;
  return state?.status !== 'rejected';
}
