// npm start: installs what is missing, builds the demo, serves it on this machine with a server of sync, and prints the
// address.
import { join } from 'node:path';
import { requireInstalled, root } from './installed.mjs';

requireInstalled();
const { build } = await import('vite');
const { serveDemo } = await import('./serve-demo.mjs');
const { startEndpoint } = await import('./endpoint.mjs');
process.chdir(root);
console.log('Building the demo…');
const starting = startEndpoint({ dir: join(root, '.varve') }).catch((error) => error);
await build({ logLevel: 'warn' });
const started = await starting;
const endpoint = started instanceof Error ? undefined : started;
const port = Number(process.env.PORT ?? 4173);
const server = await serveDemo({ port, ...(endpoint === undefined ? {} : { endpoint }) });
const address = server.resolvedUrls?.local[0] ?? `http://127.0.0.1:${port}/`;
console.log(`\nThe ledger is served at ${address}, the to-do list at ${address}tasks/`);
if (endpoint === undefined) {
  console.log(`The server of sync could not start, so the ledger stays on each device:\n${started.message}`);
} else {
  console.log(
    'The ledger is synced: what it serves is kept in .varve. Share one with another browser by its sync button.',
  );
  void endpoint.ended.then(() => {
    if (!isStopping) console.log('The server of sync has ended. The ledger goes on without it; start again to sync.');
  });
}
console.log('Open one, then try it with the network off. Press Ctrl+C to stop.');

let isStopping = false;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    isStopping = true;
    await endpoint?.stop();
    process.exit(0);
  });
}
