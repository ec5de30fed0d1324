// npm run torture -- --kills 5 [--seed 1] [--json FILE]
//
// Kills the whole browser with SIGKILL while commands run, opens the same profile again, and checks the log against
// what was acknowledged: every acknowledged event is there once, nothing is torn, positions and revisions are dense.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { requireInstalled, root } from './installed.mjs';

requireInstalled();
const { build, preview } = await import('vite');
const { chromium } = await import('playwright-core');
const { browserArguments, findChromium, requireChromium } = await import('./chromium.mjs');
const { checkLog } = await import('./torture-check.mjs');
requireChromium();

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    json: { type: 'string' },
  },
});
const kills = Number(values.kills);
const seed = Number(values.seed);
if (!Number.isInteger(kills) || kills < 1 || !Number.isInteger(seed)) {
  console.error(
    'Usage: npm run torture -- --kills N [--seed N] [--json FILE], with whole numbers and at least one kill.',
  );
  process.exit(2);
}

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
const profile = mkdtempSync(join(tmpdir(), 'varve-torture-'));

const random = createRandom(seed);
const acknowledged = new Map();
const found = { lost: 0, doubled: 0, torn: 0, gaps: 0, 'wrong rows': 0, 'open failures': 0 };
console.log(`torture: ${kills} kills, seed ${seed}`);

for (let kill = 1; kill <= kills; kill += 1) {
  const browser = await openBrowser();
  if (browser === undefined) continue;
  const before = acknowledged.size;
  if (browserPids().length === 0) throw new Error('The browser process was not found by its profile.');
  await browser.page.evaluate((lanes) => window.torture.start(lanes), 1 + Math.floor(random() * 12));
  await untilAcknowledged(before + 1);
  await new Promise((resolve) => setTimeout(resolve, 50 + random() * 1500));
  for (const pid of browserPids()) process.kill(pid, 'SIGKILL');
  await untilGone();
  const problems = await verify();
  console.log(`  kill ${kill}: ${acknowledged.size} acknowledged${problems === '' ? '' : `; ${problems}`}`);
}

await new Promise((resolve) => server.httpServer.close(resolve));
rmSync(profile, { recursive: true, force: true });

const result = { kills, seed, acknowledged: acknowledged.size, ...found };
console.log(
  Object.entries(result)
    .map(([name, value]) => `${name} ${value}`)
    .join(', '),
);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
const failed = acknowledged.size === 0 || Object.values(found).some((count) => count > 0);
process.exit(failed ? 1 : 0);

/** Opens the profile, in which the log is, and a page that reports what is acknowledged. */
async function openBrowser() {
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: findChromium(),
    args: [...browserArguments],
  });
  const page = context.pages()[0] ?? (await context.newPage());
  await page.exposeFunction('acknowledge', (answers) => {
    for (const answer of answers) acknowledged.set(answer.commandId, answer);
  });
  page.on('pageerror', (error) => console.log(`  page error: ${error.message}`));
  try {
    await page.goto(address);
    // The log opened and the rows are there: what a user waits for at a start.
    await page.waitForFunction(() => window.torture?.readRows().then(() => true), undefined, { timeout: 20_000 });
  } catch (error) {
    found['open failures'] += 1;
    console.log(`  open failure: ${error.message}`);
    await context.close();
    await untilGone();
    return undefined;
  }
  return { context, page };
}

/** The browser's own processes: on this profile and not of a `--type`. Debian's is a shell script around the real one. */
function browserPids() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return args.includes(`--user-data-dir=${profile}`) && !args.some((arg) => arg.startsWith('--type='));
      } catch {
        // It ended while we looked.
        return false;
      }
    });
}

/** Playwright does not always notice that a browser was killed: the process table does. */
async function untilGone() {
  while (browserPids().length > 0) await new Promise((resolve) => setTimeout(resolve, 10));
}

async function untilAcknowledged(count) {
  const deadline = performance.now() + 20_000;
  while (acknowledged.size < count) {
    if (performance.now() > deadline) throw new Error('No command was acknowledged within 20 s.');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function verify() {
  const browser = await openBrowser();
  if (browser === undefined) return 'did not open';
  const events = await browser.page.evaluate(() => window.torture.readLog());
  const rows = await browser.page.evaluate(() => window.torture.readRows());
  await browser.context.close();
  await untilGone();
  const problems = checkLog(events, rows, acknowledged);
  for (const [name, count] of Object.entries(problems)) found[name] += count;
  return Object.entries(problems)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
}

/** mulberry32: the same kills for the same seed, as far as a browser's timing allows. */
function createRandom(start) {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
