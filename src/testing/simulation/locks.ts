/** The Web Locks of one device: one at a time by name, in the order of asking; whoever ends lets the next in. */
export interface Locks {
  run(name: string, work: () => Promise<void>, signal: AbortSignal): Promise<void>;
}

export function createLocks(): Locks {
  const queues = new Map<string, (() => void)[]>();

  function letNextIn(name: string): void {
    const queue = queues.get(name) ?? [];
    queue.shift();
    queue[0]?.();
  }

  return {
    run: (name, work, signal) =>
      new Promise((resolve, reject) => {
        const queue = queues.get(name) ?? [];
        queues.set(name, queue);
        let isOver = false;
        const leave = () => {
          signal.removeEventListener('abort', leave);
          if (isOver) return;
          isOver = true;
          if (queue[0] === enter) letNextIn(name);
          else queue.splice(queue.indexOf(enter), 1);
        };
        const enter = () => {
          work().then(resolve, reject).finally(leave);
        };
        if (signal.aborted) return;
        signal.addEventListener('abort', leave);
        queue.push(enter);
        if (queue[0] === enter) enter();
      }),
  };
}
