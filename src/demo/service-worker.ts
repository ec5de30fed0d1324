/// <reference lib="webworker" />
import { cleanupOutdatedCaches, PrecacheController, PrecacheRoute } from 'workbox-precaching';
import { NavigationRoute, registerRoute } from 'workbox-routing';

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

// The network is back: the pages know what waits. Where none is open, the next that is opened sends it.
self.addEventListener('sync' as 'activate', (event) => {
  if ((event as SyncEvent).tag === 'varve-sync') event.waitUntil(wakePages());
});

async function wakePages(): Promise<void> {
  for (const page of await self.clients.matchAll({ type: 'window' })) page.postMessage({ type: 'SYNC_NOW' });
}
