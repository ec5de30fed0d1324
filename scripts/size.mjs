// npm run size: what a minimal app downloads, gzip, without React, against the budgets below.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { root } from './installed.mjs';

/**
 * kB of 1,000 bytes, after gzip. The worker's aim is 50, which it passed with the chains, the segments, the rebuilds
 * beside what is shown, and an order that sync may change; 30 of it are Dexie, of which only the opening is used.
 */
const budgets = { page: 10, worker: 58 };

const app =
  "import { defineApp } from 'varve'; const app = defineApp({ name: 'minimal', aggregates: [], projections: [] });";
const sources = {
  page: `${app} import { createClient } from 'varve/client'; import { VarveProvider, useCommand, useRow, useStatus } from 'varve/react'; globalThis.all = [createClient(app, () => new Worker('')), VarveProvider, useCommand, useRow, useStatus];`,
  worker: `${app} import { startWorker } from 'varve/worker'; startWorker(app);`,
  // A worker is built otherwise than a page: it gets no helper that preloads.
  start: "globalThis.worker = new Worker(new URL('./worker.mjs', import.meta.url), { type: 'module' });",
};

const folder = join(root, '.artifacts/size');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const [name, source] of Object.entries(sources)) writeFileSync(join(folder, `${name}.mjs`), source);
const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** The code that a page or its worker is built to, by file name. */
async function buildCode(name) {
  const { output } = await build({
    configFile: false,
    publicDir: false,
    logLevel: 'error',
    worker: { format: 'es' },
    resolve: { conditions: ['varve-source', 'module', 'browser'] },
    build: {
      write: false,
      modulePreload: false,
      rollupOptions: { input: join(folder, `${name === 'worker' ? 'start' : name}.mjs`), external: [/^react/] },
    },
  });
  // Those of a worker come as assets.
  const isWanted = ({ type }) => (name === 'worker' ? type === 'asset' : type === 'chunk');
  return new Map(output.filter(isWanted).map(({ fileName, code, source }) => [fileName, code ?? String(source)]));
}

/** What a start downloads: the entry and what it imports. What is imported while running comes when it is used. */
function startFiles(codes, entry) {
  const loaded = new Set([entry]);
  for (const file of loaded) {
    for (const [, name] of (codes.get(file) ?? '').matchAll(/(?:^|[;}])import(?:[^("';]*from)?["']\.\/([^"']+)["']/g)) {
      loaded.add(`assets/${name}`);
    }
  }
  return loaded;
}

let failed = false;
for (const name of Object.keys(budgets)) {
  const codes = await buildCode(name);
  const entry = [...codes.keys()].find((file) => file.startsWith(`assets/${name}`));
  if (entry === undefined) throw new Error(`The ${name} was built to ${[...codes.keys()].join(', ')}.`);
  const bytes = [...startFiles(codes, entry)].reduce((sum, file) => {
    const code = codes.get(file);
    if (code === undefined) throw new Error(`The ${name} imports "${file}", which was not built.`);
    return sum + gzipSync(code).length;
  }, 0);
  const over = bytes > budgets[name] * 1000;
  failed ||= over;
  // What the README says is what was measured.
  const said = Number(new RegExp(`(\\d+) kB (?:on|in) the ${name}`).exec(readme)?.[1]);
  if (said !== Math.round(bytes / 1000)) {
    failed = true;
    console.error(`The README says ${said} kB for the ${name}.`);
  }
  console.log(`${name}: ${(bytes / 1000).toFixed(1)} kB of ${budgets[name]} kB${over ? ' – over the budget' : ''}`);
}
process.exit(failed ? 1 : 0);
