import type { StatusStore } from './status.ts';

/** Keeps the status true about whether the browser may throw the data away, and how much room is left. */
export interface StorageWatch {
  check(durable: boolean): void;
  afterSave(): void;
}

/** How often the estimate is renewed at most: it is an IPC to the browser, and it changes slowly. */
const estimateIntervalMs = 30_000;

export function createStorageWatch(status: StatusStore, askToPersist: boolean): StorageWatch {
  /** Asked when a log is open, and not before: a client may be made on a server. */
  let storage: StorageManager | undefined;
  let durable = false;
  let asked = false;
  let estimatedAt = Number.NEGATIVE_INFINITY;

  // All three are refused or missing somewhere (private windows, insecure origins, WebKitGTK): then nothing is claimed.
  async function notePersistence(answer: Promise<boolean> | undefined): Promise<void> {
    const persistent = await Promise.resolve(answer).catch(() => false);
    status.setState({ storage: persistent ? 'persistent' : 'best-effort' });
  }

  async function noteEstimate(): Promise<void> {
    if (performance.now() - estimatedAt < estimateIntervalMs) return;
    estimatedAt = performance.now();
    const estimate = await storage?.estimate?.().catch(() => undefined);
    if (estimate?.usage === undefined || estimate.quota === undefined) return;
    status.setState({ quota: { usedBytes: estimate.usage, availableBytes: estimate.quota } });
  }

  return {
    check: (isDurable) => {
      durable = isDurable;
      storage = typeof navigator === 'undefined' ? undefined : navigator.storage;
      if (!durable) return status.setState({ storage: 'memory' });
      void notePersistence(storage?.persisted?.());
      void noteEstimate();
    },
    afterSave: () => {
      if (!durable) return;
      void noteEstimate();
      if (asked || !askToPersist || status.getState().storage === 'persistent') return;
      asked = true;
      void notePersistence(storage?.persist?.());
    },
  };
}
