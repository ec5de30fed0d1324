/** What the main thread was held up by: its longest task, and what tasks took beyond 50 ms each, in milliseconds. */
export interface Stall {
  readonly longestMs: number;
  readonly blockingMs: number;
}

export interface StallMeter {
  /** Forgets what was before. */
  restart(): void;
  read(): Promise<Stall>;
}

/** Where the browser reports a long task, from its start on. */
const longTaskMs = 50;

/**
 * Watches the main thread.
 *
 * The browser reports tasks of 50 ms and more, also those before this was called. Shorter ones are seen as gaps
 * between timers, which browsers run every 4 ms at best: the gap is an upper bound, for a busy machine widens it too.
 */
export function createStallMeter(): StallMeter {
  let tasks: number[] = [];
  let longestGap = 0;
  let since = 0;
  let last = performance.now();
  const take = (entries: PerformanceEntryList) => {
    for (const { startTime, duration } of entries) if (startTime + duration >= since) tasks.push(duration);
  };
  const observer = new PerformanceObserver((list) => take(list.getEntries()));
  observer.observe({ type: 'longtask', buffered: true });
  const tick = () => {
    const now = performance.now();
    longestGap = Math.max(longestGap, now - last - 4);
    last = now;
    setTimeout(tick);
  };
  tick();
  return {
    restart: () => {
      take(observer.takeRecords());
      tasks = [];
      longestGap = 0;
      since = performance.now();
      last = since;
    },
    read: async () => {
      // The observer is told of a task some time after it has ended.
      await new Promise((resolve) => setTimeout(resolve, 100));
      take(observer.takeRecords());
      const longest = Math.max(0, ...tasks);
      return {
        longestMs: longest > 0 ? longest : Math.min(longestGap, longTaskMs),
        blockingMs: tasks.reduce((sum, duration) => sum + duration - longTaskMs, 0),
      };
    },
  };
}
