// npm run torture -- [--kills N] [--terminates N] [--reloads N] [--freezes N] [--crashes N] [--tabs SECONDS]
//   [--quotas N] [--clears N] [--seed N] [--json FILE] [--write-docs]
//
// Disturbs a real browser while commands run, and checks the log afterwards against what was acknowledged: every
// acknowledged event is there once, nothing is torn, positions and revisions are dense, the rows are those of the
// events. Without a count: five kills. --write-docs writes the result into docs/reliability.md.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readable, toTable, writeBlock } from './docs-block.mjs';
import { requireInstalled, root } from './installed.mjs';

requireInstalled();
const { build, preview } = await import('vite');
const { requireChromium } = await import('./chromium.mjs');
const { createReport } = await import('./torture/report.mjs');
const { runKills } = await import('./torture/kills.mjs');
const { runInterruptions } = await import('./torture/interruptions.mjs');
const { runTabs } = await import('./torture/tabs.mjs');
const { runQuotas } = await import('./torture/quotas.mjs');
const { runClears } = await import('./torture/clears.mjs');
requireChromium();

const disturbances = {
  kills: runKills,
  terminates: (count, torture) => runInterruptions('terminate', count, torture),
  reloads: (count, torture) => runInterruptions('reload', count, torture),
  freezes: (count, torture) => runInterruptions('freeze', count, torture),
  crashes: (count, torture) => runInterruptions('crash', count, torture),
  tabs: runTabs,
  quotas: runQuotas,
  clears: runClears,
};

const { counts, seed, json, writesDocs } = readArguments();
const outDir = join(root, '.artifacts/torture');
await build({
  configFile: false,
  root: join(root, 'e2e/torture'),
  logLevel: 'error',
  resolve: { conditions: ['varve-source', 'module', 'browser'] },
  worker: { format: 'es' },
  build: { outDir, emptyOutDir: true },
});
const server = await preview({ configFile: false, build: { outDir }, preview: { host: '127.0.0.1', port: 0 } });
const address = server.resolvedUrls.local[0];
const report = createReport(seed);

console.log(`torture: ${counts.map(([name, count]) => `${count} ${name}`).join(', ')}, seed ${seed}`);
for (const [name, count] of counts) await disturbances[name](count, { address, report });
await new Promise((resolve) => server.httpServer.close(resolve));

const result = { ...Object.fromEntries(counts), ...report.result() };
console.log(
  Object.entries(result)
    .map(([name, value]) => `${name} ${value}`)
    .join(', '),
);
if (json !== undefined) writeFileSync(json, `${JSON.stringify(result, null, 2)}\n`);
if (writesDocs) {
  const rows = Object.entries(result).map(([name, value]) => [name, readable(value)]);
  writeBlock('reliability.md', 'torture', toTable(['', 'count'], rows));
}
process.exit(report.failed() ? 1 : 0);

function readArguments() {
  const names = Object.keys(disturbances);
  try {
    const texts = Object.fromEntries([...names, 'seed', 'json'].map((name) => [name, { type: 'string' }]));
    const options = { ...texts, 'write-docs': { type: 'boolean' } };
    const { seed: seedText = '1', json, 'write-docs': writesDocs = false, ...given } = parseArgs({ options }).values;
    const counts = names.filter((name) => given[name] !== undefined).map((name) => [name, whole(given[name])]);
    return { counts: counts.length === 0 ? [['kills', 5]] : counts, seed: whole(seedText), json, writesDocs };
  } catch (error) {
    const usage = names.map((name) => `[--${name} ${name === 'tabs' ? 'SECONDS' : 'N'}]`).join(' ');
    console.error(`${error.message}\nUsage: npm run torture -- ${usage} [--seed N] [--json FILE] [--write-docs]`);
    process.exit(2);
  }
}

function whole(text) {
  if (!/^\d+$/.test(text)) throw new Error(`"${text}" is not a whole number.`);
  return Number(text);
}
