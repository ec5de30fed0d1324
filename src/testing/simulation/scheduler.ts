/** Time that passes only from one thing that is due to the next. */
export interface Scheduler {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Calls `run` once after some time, unless the returned function is called before. */
  readonly callLater: (run: () => void, delayMs: number) => () => void;
  /** Goes on until `end`, or until `isDone`, which is asked after each thing that was due. */
  advance(end: number, isDone?: () => boolean): Promise<void>;
}

interface Due {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export function createScheduler(start: number): Scheduler {
  /** A heap: no entry is due before the one above it. */
  const queue: Due[] = [];
  let now = start;
  let lastOrder = 0;

  function push(due: Due): void {
    let index = queue.push(due) - 1;
    while (index > 0) {
      const above = (index - 1) >>> 1;
      if (!isBefore(due, queue[above] as Due)) break;
      queue[index] = queue[above] as Due;
      index = above;
    }
    queue[index] = due;
  }

  function pop(): Due | undefined {
    const [first, last] = [queue[0], queue.pop()];
    if (first === undefined || last === undefined || first === last) return first;
    let index = 0;
    for (;;) {
      let below = 2 * index + 1;
      if (below + 1 < queue.length && isBefore(queue[below + 1] as Due, queue[below] as Due)) below += 1;
      if (below >= queue.length || !isBefore(queue[below] as Due, last)) break;
      queue[index] = queue[below] as Due;
      index = below;
    }
    queue[index] = last;
    return first;
  }

  return {
    get now() {
      return now;
    },
    callLater: (run, delayMs) => {
      let isCancelled = false;
      lastOrder += 1;
      // Whole milliseconds, as clocks and protocol have them.
      push({ at: now + Math.ceil(Math.max(0, delayMs)), order: lastOrder, run: () => isCancelled || run() });
      return () => {
        isCancelled = true;
      };
    },
    advance: async (end, isDone = () => false) => {
      await settle();
      while (queue[0] !== undefined && queue[0].at <= end && !isDone()) {
        const { at, run } = pop() as Due;
        now = Math.max(now, at);
        run();
        await settle();
      }
      if (!isDone()) now = Math.max(now, end);
    },
  };
}

function isBefore(one: Due, other: Due): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

/**
 * Resolves when nothing goes on any more until the next thing is due: all that runs here waits for promises alone, and
 * those are through before the event loop turns.
 */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
