/// <reference lib="webworker" />

import { httpSync } from 'varve/sync';
import { syncInBackground } from 'varve/worker';
import { cleanupOutdatedCaches, PrecacheController, PrecacheRoute } from 'workbox-precaching';
import { NavigationRoute, registerRoute } from 'workbox-routing';
import { ledger } from './ledger/ledger.ts';
import { readTag } from './ledger/sync/background-tag.ts';
import { readToken } from './ledger/sync/read-token.ts';

declare const self: ServiceWorkerGlobalScope;

const controller = new PrecacheController();
// A server that answers with `Vary: Origin` (vite preview does) would hide the worker's script from the worker's own request.
controller.strategy.matchOptions = { ignoreVary: true };
controller.precache(self.__WB_MANIFEST);
cleanupOutdatedCaches();
registerRoute(new PrecacheRoute(controller));
// Two pages: whatever address is opened inside them, online or not.
registerRoute(
  new NavigationRoute(controller.createHandlerBoundToURL('/tasks/index.html'), { allowlist: [/^\/tasks\b/] }),
);
registerRoute(new NavigationRoute(controller.createHandlerBoundToURL('/index.html')));

// The page that installed it is served by it at once, and notices when the next version takes over.
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

// A new version waits until the user is ready for it.
self.addEventListener('message', ({ data }) => {
  if (data?.type === 'SKIP_WAITING') void self.skipWaiting();
});

/** Background Sync, where the browser has it; not in the DOM types. */
interface SyncEvent extends ExtendableEvent {
  readonly tag: string;
}

// The network is back, whether a page is open or not.
self.addEventListener('sync' as 'activate', (event) => {
  const log = readTag((event as SyncEvent).tag);
  if (log === undefined) return;
  const sync = httpSync({ url: location.origin, token: readToken });
  event.waitUntil(syncInBackground(ledger, { sync, ...log }));
});
