import { isTabMessage, type TabMessage } from '../protocol/tab-message.ts';

/** Tells everybody who has opened a log that it grew, in this worker and in the other tabs. */
export interface TabHints {
  announce(head: number): void;
  listen(listener: (head: number) => void): () => void;
  close(): void;
}

/**
 * Joins the channel of a log. A hint may be missed (a frozen tab, the back/forward cache): nothing may depend on it but
 * speed. Where there is no BroadcastChannel, tabs see each other's events when they look the next time.
 */
export function joinTabHints(logId: string): TabHints {
  const listeners = new Set<(head: number) => void>();
  const tell = (head: number) => {
    for (const listener of listeners) listener(head);
  };
  const channel = typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel(`varve:${logId}`);
  if (channel !== undefined) {
    channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (isTabMessage(data) && data.logId === logId) tell(data.head);
    };
    // Node: an open channel alone does not keep the process alive.
    if ('unref' in channel && typeof channel.unref === 'function') channel.unref();
  }
  return {
    announce: (head) => {
      tell(head);
      channel?.postMessage({ type: 'head', logId, head } satisfies TabMessage);
    },
    listen: (listener) => {
      const own = (head: number) => listener(head);
      listeners.add(own);
      return () => listeners.delete(own);
    },
    close: () => {
      listeners.clear();
      channel?.close();
    },
  };
}
