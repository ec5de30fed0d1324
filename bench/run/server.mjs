import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { root } from '../../scripts/installed.mjs';

const pages = [
  'varve',
  'varve-unsaved',
  'varve-sync',
  'raw',
  'limit',
  'dexie',
  'manuscript',
  'query',
  'query-raw',
  'prepare',
];

/**
 * Builds the pages for production and serves them on loopback, and the files of this run under `/files/`.
 *
 * One port for the whole suite: a profile's data belongs to an origin, and the port is part of it.
 */
export async function startServer(filesDir, syncServer) {
  const { build, preview } = await import('vite');
  const outDir = join(root, '.artifacts/bench');
  await build({
    configFile: false,
    root: join(root, 'bench/pages'),
    logLevel: 'error',
    resolve: { conditions: ['varve-source', 'module', 'browser', 'production'] },
    worker: { format: 'es' },
    build: {
      outDir,
      emptyOutDir: true,
      target: 'es2022',
      chunkSizeWarningLimit: 2_000,
      rolldownOptions: { input: pages.map((page) => join(root, `bench/pages/${page}.html`)) },
    },
  });
  // An isolated page gets timers of 5 µs instead of 100 µs: an append takes less than a millisecond.
  const headers = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
  const server = await preview({
    configFile: false,
    root: join(root, 'bench/pages'),
    logLevel: 'error',
    build: { outDir },
    preview: { host: '127.0.0.1', port: 0, headers },
    plugins: [
      {
        name: 'bench-files',
        configurePreviewServer: ({ middlewares }) => {
          middlewares.use(syncServer.listen);
          middlewares.use('/files/', (request, response) => void answerFile(filesDir, request, response));
        },
      },
    ],
  });
  return {
    address: server.resolvedUrls.local[0],
    close: () => new Promise((resolve) => server.httpServer.close(resolve)),
  };
}

async function answerFile(filesDir, request, response) {
  const name = (request.url ?? '').replace(/^\//, '');
  const path = join(filesDir, name);
  try {
    if (!/^[\w-]+(\.[\w-]+)*$/.test(name)) response.statusCode = 400;
    else if (request.method === 'PUT') await pipeline(request, createWriteStream(path));
    else if (existsSync(path)) return await pipeline(createReadStream(path), response);
    else response.statusCode = 404;
  } catch (error) {
    // The page sees a broken answer, and its cell says so.
    console.error(`  /files/${name}: ${error.message}`);
    response.statusCode = 500;
  }
  response.end();
}
