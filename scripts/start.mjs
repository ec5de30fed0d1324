// npm start: installs what is missing, builds the demo, serves it on this machine and prints the address.
import { requireInstalled, root } from './installed.mjs';

requireInstalled();
const { build, preview } = await import('vite');
process.chdir(root);
console.log('Building the demo…');
await build({ logLevel: 'warn' });
const port = Number(process.env.PORT ?? 4173);
const server = await preview({ preview: { host: '127.0.0.1', port } });
const address = server.resolvedUrls?.local[0] ?? `http://127.0.0.1:${port}/`;
console.log(
  `\nThe ledger is served at ${address}, the to-do list at ${address}tasks/\nOpen one, then try it with the network off. Press Ctrl+C to stop.`,
);
