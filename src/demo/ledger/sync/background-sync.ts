import type { Client } from 'varve/client';

/** What the service worker knows it by. */
export const syncTag = 'varve-sync';

/** Not in the DOM types: Chromium has it. */
interface SyncManager {
  register(tag: string): Promise<void>;
}

/**
 * Background Sync, where the browser has it: asks to be woken when the network is back, also in a tab that is frozen.
 *
 * Asked for once per time that something begins to wait: the browser calls at once where it believes to be online, and
 * asked again it would outrun the waiting times of sync.
 */
export function syncInBackground({ status, syncNow }: Client): void {
  const { serviceWorker } = navigator;
  if (serviceWorker === undefined) return;
  serviceWorker.addEventListener('message', ({ data }) => {
    if (data?.type === 'SYNC_NOW') syncNow();
  });
  let wasWaiting = false;
  status.subscribe(({ sync }) => {
    const isWaiting = (sync?.pending ?? 0) > 0;
    if (isWaiting && !wasWaiting) void ask(serviceWorker);
    wasWaiting = isWaiting;
  });
}

async function ask(serviceWorker: ServiceWorkerContainer): Promise<void> {
  const registration: ServiceWorkerRegistration & { readonly sync?: SyncManager } = await serviceWorker.ready;
  // The user may have forbidden it: sync goes on as long as the page is open.
  await registration.sync?.register(syncTag).catch(() => undefined);
}
