import { VarveProvider } from 'varve/react';
import { createVarveContestant } from '../contestants/varve.ts';
import { ledger } from '../ledger.ts';
import { mountContestant } from '../measure/mount.tsx';

/** What the runner calls besides. Times are milliseconds since the navigation began. */
export interface SyncBench {
  /** When this page was first in step with a server that has so many events. */
  syncedAt(events: number): Promise<number>;
  /** When the first sum of balances stood on the screen. */
  paintedAt(): Promise<number>;
  logId(): string;
}

declare global {
  interface Window {
    readonly syncBench: SyncBench;
  }
}

// With an id, this page is a new device that joins another one's log.
const log = new URLSearchParams(location.search).get('log') ?? undefined;
const { contestant, client } = createVarveContestant(
  ledger,
  () => new Worker(new URL('../contestants/varve-sync.worker.ts', import.meta.url), { type: 'module' }),
  log === undefined ? {} : { log },
);
const painted = new Promise<number>((resolve) => {
  const observer = new MutationObserver(() => {
    const total = document.querySelector('[data-total]')?.textContent ?? '';
    if (total === '' || total === '0') return;
    observer.disconnect();
    resolve(performance.now());
  });
  observer.observe(document.body, { subtree: true, childList: true, characterData: true });
});

Object.assign(window, {
  syncBench: {
    syncedAt: (events) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const { sync, failure } = client.status.getState();
          if (failure !== undefined) reject(new Error(failure.text));
          if (sync?.phase === 'waiting') reject(new Error(`Sync waits: ${sync.problem?.text}`));
          if (sync?.phase !== 'synced' || sync.pending > 0 || sync.confirmed < events) return;
          unsubscribe();
          resolve(performance.now());
        };
        const unsubscribe = client.status.subscribe(look);
        look();
      }),
    paintedAt: () => painted,
    logId: () => client.status.getState().logId ?? '',
  } satisfies SyncBench,
});
mountContestant(contestant, (view) => <VarveProvider client={client}>{view}</VarveProvider>);
