import type { SyncHost } from '../../protocol/sync-host.ts';

/** How often the tab that syncs says that it is alive. */
const beatMs = 5_000;

/** How long it may be silent before another tab takes its place: frozen tabs keep their locks. */
const takeOverMs = 15_000;

/**
 * Lets one tab of the browser sync a log, and another one as soon as that is gone, or frozen. Only an economy: two that
 * do it at the same time do no harm.
 */
export function createOncePerBrowser(logId: string): SyncHost['exclusively'] {
  const locks = typeof navigator === 'undefined' ? undefined : navigator.locks;
  if (locks === undefined || typeof BroadcastChannel === 'undefined') return (work, signal) => work(signal);
  const name = `varve:sync:${logId}`;

  async function runHeld(work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    const channel = new BroadcastChannel(name);
    const beat = () => channel.postMessage('beat');
    beat();
    const timer = setInterval(beat, beatMs);
    try {
      await work(signal);
    } finally {
      clearInterval(timer);
      channel.close();
    }
  }

  return async (work, signal) => {
    const waiting = new AbortController();
    const working = new AbortController();
    const end = () => {
      waiting.abort();
      working.abort();
    };
    signal.addEventListener('abort', end);
    const hold = () => {
      stopWatching();
      return runHeld(work, working.signal);
    };
    let taken: Promise<void> | undefined;
    const stopWatching = watchSilence(name, () => {
      stopWatching();
      waiting.abort();
      taken = locks.request(name, { steal: true }, hold);
    });
    try {
      await locks.request(name, { signal: waiting.signal }, hold).catch((error: unknown) => {
        if (taken === undefined) throw error;
        return taken;
      });
    } finally {
      // Also where another tab took the lock away: the work goes on until it is told.
      end();
      stopWatching();
      signal.removeEventListener('abort', end);
    }
  };
}

/** Calls `onSilence` when nobody has said for a while that he is alive. */
function watchSilence(name: string, onSilence: () => void): () => void {
  const channel = new BroadcastChannel(name);
  let timer = setTimeout(onSilence, takeOverMs);
  channel.onmessage = () => {
    clearTimeout(timer);
    timer = setTimeout(onSilence, takeOverMs);
  };
  return () => {
    clearTimeout(timer);
    channel.close();
  };
}
