import type { RecordedEvent } from '../core/events.ts';
import { type Growth, isTabMessage, type TabMessage } from '../protocol/tab-message.ts';
import type { GrowthListener } from './event-log.ts';

/** Tells everybody who has opened a log that it grew, in this worker and in the other tabs. */
export interface TabHints {
  announce(head: number, events: readonly RecordedEvent[], rebases: number): void;
  listen(listener: GrowthListener): () => void;
  close(): void;
}

/** Most events that are told of: a user's command, not a list of thousands. */
const maxEvents = 16;

/**
 * Joins the channel of those who share a log at its address. A hint may be missed (a frozen tab, the back/forward
 * cache): nothing may depend on it but speed. Events that stand in another order than the one that this opening knows are
 * not passed on. Where there is no BroadcastChannel, tabs see each other's events when they look the next time.
 */
export function joinTabHints(
  address: string,
  { generation, format }: Pick<Growth, 'generation' | 'format'>,
  noticedRebases: () => number,
): TabHints {
  const listeners = new Set<GrowthListener>();
  const tell: GrowthListener = (head, events) => {
    for (const listener of listeners) listener(head, events);
  };
  let isClosed = false;
  const channel = typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel(`varve:${address}`);
  if (channel !== undefined) {
    channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (!isTabMessage(data)) return;
      const { head, growth } = data;
      const isOurs =
        growth?.generation === generation && growth.format === format && growth.rebases === noticedRebases();
      tell(head, isOurs ? growth.events : []);
    };
    // Node: an open channel alone does not keep the process alive.
    if ('unref' in channel && typeof channel.unref === 'function') channel.unref();
  }
  return {
    announce: (head, events, rebases) => {
      const told = events.length > maxEvents ? [] : events;
      tell(head, told);
      const growth = told.length === 0 ? {} : { growth: { generation, format, rebases, events: told } };
      // A write that was under way when this was closed has been stored all the same.
      if (!isClosed) channel?.postMessage({ type: 'head', head, ...growth } satisfies TabMessage);
    },
    listen: (listener) => {
      const own: GrowthListener = (head, events) => listener(head, events);
      listeners.add(own);
      return () => listeners.delete(own);
    },
    close: () => {
      isClosed = true;
      listeners.clear();
      channel?.close();
    },
  };
}
