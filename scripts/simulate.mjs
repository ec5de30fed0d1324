// npm run simulate -- [--runs N] [--seed S] [--json FILE] [--threads N] [--faults [NAME]] [--trace]
// npm run simulate -- --write-docs FILE [FILE…]
//
// Runs the real engine, loop and server over a simulated clock and network: devices that are cloned, rolled back and
// killed, a server that is restored from its backup, messages that are lost, doubled and late. After each run, what was
// saved is there once, everywhere, in one order. A run that fails is made as small as it gets, and printed.
//
// --faults plants ten bugs in the sources, one at a time, and wants each of them to be found.
// --write-docs runs nothing: it writes the sums of what --json wrote into docs/reliability.md.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { requireInstalled, root } from './installed.mjs';

requireInstalled();
const { bundleSimulation } = await import('./simulate/bundle.mjs');
const { runSeeds } = await import('./simulate/run-seeds.mjs');
const { faults } = await import('./simulate/faults.mjs');
const { writeDocs } = await import('./simulate/docs.mjs');

const options = readArguments();
const artifacts = join(root, '.artifacts/simulate');
const startedAt = performance.now();
const seconds = () => (performance.now() - startedAt) / 1_000;

if (options.files.length > 0) writeDocs(options.files);
else if (options.faults === undefined) await simulate();
else await findFaults(options.faults);

async function simulate() {
  const { runs: count, seed, threads, json } = options;
  const bundle = await bundleSimulation(join(artifacts, 'sound'));
  const totals = createTotals();
  const failed = [];
  let toldAt = 0;
  await runSeeds(bundle, { seed, count, threads }, (result) => {
    totals.add(result);
    if (result.violations.length > 0) {
      failed.push(result);
      console.error(`  seed ${result.seed}: ${result.violations.map(({ invariant }) => invariant).join(', ')}`);
    }
    if (seconds() - toldAt > 10) {
      toldAt = seconds();
      console.error(`  ${Math.round(toldAt)} s: ${totals.sum.runs} of ${count} runs`);
    }
    return failed.length >= 20;
  });
  const result = {
    ...totals.sum,
    seed,
    lastSeed: seed + count - 1,
    seconds: Math.round(seconds()),
    failed: failed.length,
    ...readCommit(),
  };
  console.log(
    Object.entries(result)
      .map(([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : value}`)
      .join(', '),
  );
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(result, null, 2)}\n`);
  const first = failed.sort((a, b) => a.seed - b.seed)[0];
  if (first !== undefined) await explain(bundle, first.seed);
  process.exit(failed.length === 0 ? 0 : 1);
}

/** Of the sources that were run; empty where git does not say so, or they are changed. */
function readCommit() {
  const git = (...args) => spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  const { status, stdout } = git('rev-parse', '--short', 'HEAD');
  if (status !== 0 || git('status', '--porcelain', 'src').stdout !== '') return {};
  return { commit: stdout.trim() };
}

/** Prints the smallest schedule that still fails, and how to run it again. */
async function explain(bundle, seed) {
  const { planRun, runPlan, shrinkPlan, printPlan, createTrace } = await import(pathToFileURL(bundle).href);
  const whole = await runPlan(planRun(seed));
  const [violation] = whole.violations;
  if (violation === undefined) return;
  const plan = await shrinkPlan(planRun(seed), async (candidate) => {
    const { violations } = await runPlan(candidate);
    return violations.some(({ invariant }) => invariant === violation.invariant);
  });
  const trace = createTrace(options.trace ? 10_000 : 0);
  const { violations } = await runPlan(plan, trace);
  console.log(`\n${printPlan(plan)}\n`);
  for (const line of trace.lines) console.log(`  ${line}`);
  for (const { invariant, text } of violations) console.log(`${invariant}: ${text}`);
  console.log(`\nagain: npm run simulate -- --runs 1 --seed ${seed} --trace`);
}

async function findFaults(wanted) {
  const { runs, seed, threads, json } = options;
  const chosen = faults.filter(({ name }) => wanted === '' || name === wanted);
  const found = [];
  for (const fault of chosen) {
    const bundle = await bundleSimulation(join(artifacts, fault.name.replaceAll(' ', '-')), fault);
    let by;
    let runsDone = 0;
    await runSeeds(bundle, { seed, count: Math.min(runs, 200), threads }, ({ violations, ...result }) => {
      runsDone += 1;
      if (violations.length === 0) return false;
      by = { seed: result.seed, invariants: [...new Set(violations.map(({ invariant }) => invariant))] };
      return true;
    });
    found.push({ fault: fault.name, runs: runsDone, ...by });
    const how = by === undefined ? 'NOT FOUND' : `found by ${by.invariants.join(', ')} (seed ${by.seed})`;
    console.log(`${fault.name}: ${how}, ${runsDone} runs, ${Math.round(seconds())} s`);
  }
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(found, null, 2)}\n`);
  process.exit(found.length > 0 && found.every(({ invariants }) => invariants !== undefined) ? 0 : 1);
}

function createTotals() {
  const sum = { runs: 0 };
  return {
    sum,
    add: ({ seed: _seed, hash: _hash, violations, restMs, ...counts }) => {
      sum.runs += 1;
      for (const [name, count] of Object.entries(counts)) sum[name] = (sum[name] ?? 0) + count;
      sum.longestRestMs = Math.max(sum.longestRestMs ?? 0, restMs);
      sum.violations = (sum.violations ?? 0) + violations.length;
    },
  };
}

function readArguments() {
  try {
    const names = { runs: '3000', seed: '1', threads: String(availableParallelism()) };
    const texts = Object.fromEntries(Object.keys(names).map((name) => [name, { type: 'string' }]));
    const args = process.argv.slice(2).map((arg, index, all) => {
      const isBare = arg === '--faults' && (all[index + 1] === undefined || all[index + 1].startsWith('--'));
      return isBare ? '--faults=' : arg;
    });
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        ...texts,
        json: { type: 'string' },
        faults: { type: 'string' },
        trace: { type: 'boolean' },
        'write-docs': { type: 'boolean' },
      },
    });
    if ((values['write-docs'] ?? false) !== positionals.length > 0)
      throw new Error('--write-docs goes with files, and they with it.');
    const numbers = Object.keys(names).map((name) => [name, whole(values[name] ?? names[name])]);
    return {
      ...Object.fromEntries(numbers),
      files: positionals,
      json: values.json,
      faults: values.faults,
      trace: values.trace,
    };
  } catch (error) {
    console.error(
      `${error.message}\nUsage: npm run simulate -- [--runs N] [--seed S] [--json FILE] [--threads N] [--faults [NAME]] [--trace] | --write-docs FILE [FILE…]`,
    );
    process.exit(2);
  }
}

function whole(text) {
  if (!/^\d+$/.test(text)) throw new Error(`"${text}" is not a whole number.`);
  return Number(text);
}
