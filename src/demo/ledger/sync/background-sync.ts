import type { Client } from 'varve/client';
import { toTag } from './background-tag.ts';

/** Not in the DOM types: Chromium has it. */
interface SyncManager {
  register(tag: string): Promise<void>;
}

/**
 * Background Sync, where the browser has it: asks that the service worker be woken when the network is back, also where
 * the page is closed by then.
 *
 * Asked for once per time that something begins to wait: the browser calls at once where it believes to be online, and
 * asked again it would outrun the waiting times of sync.
 */
export function askForBackgroundSync({ status }: Client, log: string | undefined): void {
  const { serviceWorker } = navigator;
  if (serviceWorker === undefined) return;
  let wasWaiting = false;
  status.subscribe(({ sync }) => {
    const isWaiting = (sync?.pending ?? 0) > 0;
    if (isWaiting && !wasWaiting) void ask(serviceWorker, toTag(log));
    wasWaiting = isWaiting;
  });
}

async function ask(serviceWorker: ServiceWorkerContainer, tag: string): Promise<void> {
  const registration: ServiceWorkerRegistration & { readonly sync?: SyncManager } = await serviceWorker.ready;
  // The user may have forbidden it: sync goes on as long as a page is open.
  await registration.sync?.register(tag).catch(() => undefined);
}
