// npm test: installs what is missing, a browser included, and runs every check there is. The last line counts.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { requireInstalled, root, tool } from './installed.mjs';

requireInstalled();
const { requireChromium } = await import('./chromium.mjs');
requireChromium();

const artifacts = join(root, '.artifacts');
rmSync(artifacts, { recursive: true, force: true });
mkdirSync(artifacts, { recursive: true });

const total = { passed: 0, failed: 0, skipped: 0 };

/** Runs one step; `count` reads what it reported, and a step without a report counts as one. */
function step(name, args, count) {
  console.log(`\n── ${name}`);
  const startedAt = performance.now();
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  const counted = { passed: 0, failed: 0, skipped: 0, ...(count === undefined ? {} : readCounts(count)) };
  if (count === undefined && status === 0) counted.passed = 1;
  // A runner that broke down before it could count has failed, whatever its report says.
  if (status !== 0 && counted.failed === 0) counted.failed = 1;
  for (const key of Object.keys(total)) total[key] += counted[key];
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(
    `   ${name}: ${counted.passed} passed, ${counted.failed} failed, ${counted.skipped} skipped (${seconds} s)`,
  );
}

function readCounts(count) {
  try {
    return count();
  } catch (error) {
    console.error(`   The report could not be read: ${error.message}`);
    return { failed: 1 };
  }
}

const readJson = (file) => JSON.parse(readFileSync(join(artifacts, file), 'utf8'));

function vitestCounts(file) {
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = readJson(file);
  return { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests + numTodoTests };
}

function playwrightCounts() {
  const { expected, unexpected, flaky, skipped } = readJson('e2e.json').stats;
  return { passed: expected, failed: unexpected + flaky, skipped };
}

const vitest = (project) => [
  tool('vitest'),
  'run',
  '--project',
  project,
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${join(artifacts, `${project}.json`)}`,
];

step('types', [tool('tsc'), '-p', 'tsconfig.json']);
step('types of the service worker', [tool('tsc'), '-p', 'tsconfig.service-worker.json']);
step('speed of type checking', ['scripts/type-speed.mjs']);
step('lint and format', [tool('biome'), 'ci', '--colors=off']);
step('unit tests', vitest('unit'), () => vitestCounts('unit.json'));
step('browser tests', vitest('browser'), () => vitestCounts('browser.json'));
step('library build', [tool('tsc'), '-p', 'tsconfig.build.json']);
step('command line build', [tool('tsc'), '-p', 'tsconfig.cli.json']);
const varve = join(root, JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).bin.varve);
const ledger = 'src/demo/ledger';
const checkSchema = (module, ...options) => [varve, 'schema', 'check', module, '--exact', ...options];
step('stored schemas of the demo', checkSchema(`${ledger}/ledger.ts`, '--file', `${ledger}/varve.schema.json`));
const history = `${ledger}/history`;
step(
  'stored schemas of a later demo, and a log of 2024',
  checkSchema(
    `${history}/later-ledger.ts`,
    ...['--file', `${history}/later-ledger.schema.json`, '--log', `${history}/ledger-of-2024.ndjson`],
  ),
);
step('package', ['scripts/package.mjs']);
step('README and guide', ['scripts/docs.mjs']);
step('demo build', [tool('vite'), 'build', '--logLevel', 'warn']);
step('size', ['scripts/size.mjs']);
step('end to end', [tool('playwright'), 'test'], playwrightCounts);
// Of the 3,000 for a release as many as fit in half a minute; the faults are planted once in a while by hand.
step('simulation', ['scripts/simulate.mjs', '--runs', '500']);
step('torture', [
  'scripts/torture.mjs',
  ...'--kills 2 --terminates 2 --reloads 2 --freezes 1 --crashes 1 --tabs 3 --quotas 1 --clears 3'.split(' '),
]);

console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed === 0 ? 0 : 1);
