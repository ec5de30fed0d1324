import { createEmptyBase, prepareFiles } from './bases.mjs';
import { createCpuCheck } from './cpu-check.mjs';
import { createProfiles, indexedDbBytes } from './profiles.mjs';
import { findRealData } from './real-data.mjs';
import { runAggregate, runBank, runEmpty, runImports, runManuscript, runQuery, runStored, runSync } from './rounds.mjs';
import { createSamples } from './samples.mjs';
import { startServer } from './server.mjs';
import { createSyncServer } from './sync-server.mjs';

/** Measured with a log stored. */
const storedGroups = [
  'append',
  'concurrent',
  'visible',
  'cold-start',
  'rebuild',
  'rebuild-load',
  'stall',
  'tabs',
  'memory',
];

/**
 * Runs the suite: in every run all rounds at all sizes, so that each ratio is of one run.
 *
 * What goes wrong in one measurement is noted in its rows and does not end the suite; `signal` ends it before the next.
 */
export async function runSuite({ quick, only, sizes, runs, seed }, say, signal) {
  const profiles = createProfiles();
  const samples = createSamples(only);
  say('building the pages');
  const syncServer = await createSyncServer();
  const server = await startServer(profiles.files, syncServer);
  const wants = (...groups) => groups.some((group) => only.has(group));
  // No booking of the suite has the id of another: every measurement draws from a seed of its own.
  let lastSeed = seed + 1_000;
  const nextSeed = () => ++lastSeed;
  const suite = {
    ...{ quick, profiles, samples, say, wants, nextSeed },
    address: server.address,
    syncServer,
    cell: createCells(samples, say, signal),
  };
  try {
    const data = findRealData(profiles.files);
    const bank = wants('bank') ? data.bank() : undefined;
    const manuscript = wants('manuscript') ? data.manuscript() : undefined;
    if (wants('bank') && bank === undefined) say(`bank statement skipped: no transactions in ${data.folder}`);
    if (wants('manuscript') && manuscript === undefined) say(`manuscript skipped: not in ${data.folder}`);
    const emptyBase = wants('cold-start', 'memory') ? await createEmptyBase(suite, 'varve') : undefined;
    const ledgers = new Map();
    const queryBases = new Map();
    const ledgerOf = async (count, accounts) => {
      const name = `${count}-on-${accounts}`;
      const found = ledgers.get(name);
      if (found !== undefined) return found;
      const ledger = { prepared: await prepareFiles(suite, { seed, count, accounts }, name), bases: new Map() };
      ledgers.set(name, ledger);
      return ledger;
    };
    for (let run = 1; run <= runs; run += 1) {
      if (emptyBase !== undefined) await runEmpty(suite, run, emptyBase);
      for (const n of sizes) {
        if (wants('import', 'size', 'sync', ...storedGroups)) {
          const ledger = await ledgerOf(n, 1_000);
          await runImports(suite, run, n, ledger);
          if (run === 1) addSizes(samples, n, ledger);
          if (wants(...storedGroups)) await runStored(suite, run, n, ledger);
        }
        if (wants('sync')) await runSync(suite, run, n, await ledgerOf(n, 1_000));
        if (wants('query')) await runQuery(suite, run, n, queryBases);
        if (wants('aggregate')) await runAggregate(suite, run, n, await ledgerOf(n, n / 100));
      }
      if (bank !== undefined) await runBank(suite, run, bank);
      // Half a minute, and it hardly varies.
      if (manuscript !== undefined && (run === 1 || !quick)) await runManuscript(suite, run, manuscript);
    }
  } finally {
    await server.close();
  }
  return samples;
}

/** Runs cells: looks at the machine around each, keeps its values, and notes in its rows what went wrong. */
function createCells(samples, say, signal) {
  const cpu = createCpuCheck();
  return async ({ name, metrics, contestant, n, run }, measure) => {
    signal.throwIfAborted();
    const title = `run ${run} · ${name} · ${contestant} · n = ${n.toLocaleString('en')}`;
    try {
      const { result, disturbed } = await cpu.around(measure);
      samples.add({ contestant, n, run, disturbed }, result ?? {});
      say(disturbed ? `${title} · disturbed` : title);
    } catch (error) {
      const [reason] = error.message.split('\n');
      say(`${title} · failed: ${reason}`);
      for (const metric of metrics) samples.note(metric, contestant, n, `failed in run ${run}: ${reason}`);
    }
  };
}

function addSizes(samples, n, { bases }) {
  for (const [contestant, profile] of bases) {
    samples.add({ contestant, n, run: 1, disturbed: false }, { 'size on disk': indexedDbBytes(profile) / n });
  }
}
