import { useSyncExternalStore } from 'react';
import type { RawQueryCall, RawQueryMessage } from '../contestants/query-raw.worker.ts';
import { mountQueryBench } from '../measure/query-bench.tsx';

const worker = new Worker(new URL('../contestants/query-raw.worker.ts', import.meta.url), { type: 'module' });
const open = new Map<number, () => void>();
const listeners = new Set<() => void>();
let top: Extract<RawQueryMessage, { type: 'top' }>['rows'] | undefined;
let lastId = 0;

worker.onmessage = ({ data }: MessageEvent<RawQueryMessage>) => {
  if (data.type === 'done') {
    open.get(data.id)?.();
    open.delete(data.id);
    return;
  }
  top = data.rows;
  for (const listener of listeners) listener();
};

function send(call: RawQueryCall): Promise<void> {
  lastId += 1;
  const id = lastId;
  return new Promise((resolve) => {
    open.set(id, resolve);
    worker.postMessage({ id, call });
  });
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  void send({ name: 'top' });
  return () => {
    listeners.delete(listener);
    top = undefined;
  };
}

mountQueryBench({
  fill: (count) => send({ name: 'fill', count }),
  load: () => send({ name: 'load' }),
  useTop: () => useSyncExternalStore(subscribe, () => top),
  change: (key, row) => send({ name: 'change', key, row }),
});
