// npm run bench -- [--quick] [--only import,visible] [--n 10000,100000] [--runs 5] [--seed 1] [--json FILE] [--write-docs]
//
// Measures Varve against hand-written code and Dexie, in one browser on one machine, and prints a table with a bar per
// row. docs/performance.md says what is measured and how.
import { writeFileSync } from 'node:fs';
import { requireInstalled } from './installed.mjs';

requireInstalled();
const { requireChromium } = await import('./chromium.mjs');
const { parseOptions } = await import('../bench/run/options.mjs');
const { runSuite } = await import('../bench/run/suite.mjs');
const { toResults } = await import('../bench/run/results.mjs');
const { toTextTable } = await import('../bench/run/table.mjs');
const { describeMachine } = await import('../bench/run/machine.mjs');
const { writeDocs } = await import('../bench/run/docs.mjs');

let options;
try {
  options = parseOptions(process.argv.slice(2));
} catch (error) {
  console.error(error.message);
  process.exit(2);
}
requireChromium();
const machine = describeMachine();
console.log(`${machine.machine} · ${machine.browser} · ${machine.versions}`);
console.log(
  `${options.runs} ${options.runs === 1 ? 'run' : 'runs'}, n = ${options.sizes.join(', ')}, seed ${options.seed}`,
);

const startedAt = performance.now();
const say = (text) => {
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  console.log(`  ${String(seconds).padStart(4)} s  ${text}`);
};
const stop = new AbortController();
process.on('SIGINT', () => {
  if (stop.signal.aborted) process.exit(130);
  say('stopping after this measurement; once more to stop at once');
  stop.abort();
});
let rows;
try {
  rows = toResults(await runSuite(options, say, stop.signal));
} catch (error) {
  if (!stop.signal.aborted) throw error;
  process.exit(130);
}

console.log(`\n${toTextTable(rows)}`);
const judged = rows.filter(({ met }) => met !== null);
const open = rows.filter(({ target, met }) => target !== null && met === null);
console.log(
  `\n${judged.filter(({ met }) => met).length} of ${judged.length} targets met; ${open.length} could not be measured`,
);
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`);
if (options.writeDocs) writeDocs(rows, options, machine);
