import { isTabMessage, type TabMessage } from '../protocol/tab-message.ts';

/** Tells the other tabs of a log that it grew, and hears of it from them. */
export interface TabHints {
  announce(head: number): void;
  close(): void;
}

/**
 * Joins the channel of a log. A hint may be missed (a frozen tab, the back/forward cache): nothing may depend on it but
 * speed. Where there is no BroadcastChannel, tabs see each other's events when they look the next time.
 */
export function joinTabHints(logId: string, onHead: (head: number) => void): TabHints {
  if (typeof BroadcastChannel === 'undefined') return { announce: () => undefined, close: () => undefined };
  const channel = new BroadcastChannel(`varve:${logId}`);
  channel.onmessage = ({ data }: MessageEvent<unknown>) => {
    if (isTabMessage(data) && data.logId === logId) onHead(data.head);
  };
  return {
    announce: (head) => channel.postMessage({ type: 'head', logId, head } satisfies TabMessage),
    close: () => channel.close(),
  };
}
