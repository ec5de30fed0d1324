import type { SyncHost, SyncProgress } from '../../protocol/sync-host.ts';

/** How often the tab that syncs says that it is alive. */
const beatMs = 5_000;

/** How long it may be silent before another tab takes its place: frozen tabs keep their locks. */
const takeOverMs = 15_000;

/** Which tab of the browser syncs a log. */
export interface OncePerBrowser {
  readonly exclusively: SyncHost['exclusively'];
  /** Tells the other tabs to try now: somebody may have signed in here. */
  wakeOthers(): void;
  /** Tells the other tabs, later ones too, how it goes; nothing where this is not the one that syncs. */
  tell(progress: SyncProgress): void;
  close(): void;
}

export interface OncePerBrowserOptions {
  /** Another tab wishes to sync now: called also in one that pauses and has left its place. */
  readonly onWake: () => void;
  /** How it goes in the tab that syncs, again and again; undefined where it does not say. */
  readonly onTold: (progress: SyncProgress | undefined) => void;
}

/** What tabs that share a log say to each other. */
type Word = { readonly type: 'beat'; readonly progress: SyncProgress | undefined } | { readonly type: 'wake' | 'ask' };

/**
 * Lets one tab of those that share a log (`EventLog.address`) sync it, and another one as soon as that is gone, or
 * frozen. Only an economy: two that do it at the same time do no harm.
 */
export function createOncePerBrowser(address: string, { onWake, onTold }: OncePerBrowserOptions): OncePerBrowser {
  const locks = typeof navigator === 'undefined' ? undefined : navigator.locks;
  if (locks === undefined || typeof BroadcastChannel === 'undefined') {
    return {
      exclusively: (work, signal) => work(signal),
      wakeOthers: () => undefined,
      tell: () => undefined,
      close: () => undefined,
    };
  }
  const name = `varve:sync:${address}`;
  const channel = new BroadcastChannel(name);
  let isHeld = false;
  let progress: SyncProgress | undefined;
  const post = (word: Word) => channel.postMessage(word);
  const beat = () => post({ type: 'beat', progress });
  channel.onmessage = ({ data: word }: MessageEvent<Word>) => {
    if (word.type === 'wake') onWake();
    else if (word.type === 'beat') onTold(word.progress);
    else if (word.type === 'ask' && isHeld) beat();
  };
  post({ type: 'ask' });
  // Node: an open channel alone does not keep the process alive.
  if ('unref' in channel && typeof channel.unref === 'function') channel.unref();

  async function runHeld(work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    isHeld = true;
    beat();
    const timer = setInterval(beat, beatMs);
    try {
      await work(signal);
    } finally {
      isHeld = false;
      progress = undefined;
      clearInterval(timer);
    }
  }

  const exclusively: SyncHost['exclusively'] = async (work, signal) => {
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

  return {
    exclusively,
    wakeOthers: () => post({ type: 'wake' }),
    tell: (next) => {
      if (!isHeld) return;
      progress = next;
      beat();
    },
    close: () => channel.close(),
  };
}

/** Calls `onSilence` when the tab that syncs has not said for a while that it is alive. */
function watchSilence(name: string, onSilence: () => void): () => void {
  const channel = new BroadcastChannel(name);
  let timer = setTimeout(onSilence, takeOverMs);
  channel.onmessage = ({ data }: MessageEvent<Word>) => {
    if (data.type !== 'beat') return;
    clearTimeout(timer);
    timer = setTimeout(onSilence, takeOverMs);
  };
  return () => {
    clearTimeout(timer);
    channel.close();
  };
}
