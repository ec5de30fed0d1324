// The rounds of a run: each measures its contestants one after the other, another one first in every run, so that what
// disturbs the machine for a while does not always hit the same one.
import { createBase, empty, fileOf, importInto } from './bases.mjs';
import {
  fillRows,
  measureAggregate,
  measureAppend,
  measureColdStart,
  measureConcurrent,
  measureJoin,
  measureManuscript,
  measurePush,
  measureQuery,
  measureRebuild,
  measureRebuildUnderLoad,
  measureStatement,
  measureTabs,
  measureVisible,
  openPage,
} from './cells.mjs';
import { withBrowser } from './session.mjs';

/** Above this many events, some measurements take minutes for those that keep a row per event. */
const large = 100_000;

const importMetrics = ['import', 'longest task, import', 'blocking time, import'];
const coldStartMetrics = [
  'cold start',
  'longest task, cold start',
  'blocking time, cold start',
  'memory, page',
  'memory, worker',
];
const rebuildLoadMetrics = ['frame p95, rebuilding, above idle', 'visible p50, rebuilding'];
const rebuildMetrics = ['rebuild', 'rebuild time', 'longest task, rebuild', 'blocking time, rebuild'];

/** Imports the file into an empty profile; the first run's profiles stay, as bases of the other rounds. */
export async function runImports(suite, run, n, { prepared, bases }) {
  const { samples, cell, wants, profiles } = suite;
  for (const contestant of inTurn(['varve', 'raw', 'limit', 'dexie'], run)) {
    const base = bases.get(contestant);
    if (contestant === 'dexie' && n > large) {
      const reason = `left out above ${large.toLocaleString('en')}: it folds every row on the page at every change`;
      for (const metric of ['import', 'visible p50', 'cold start', 'rebuild']) {
        samples.note(metric, contestant, n, reason);
      }
      continue;
    }
    const canImport = fileOf(contestant, prepared) !== undefined;
    if (!canImport) noteMissing(samples, importMetrics, contestant, n, 'import and export');
    const isSlow = contestant === 'raw' && n > large;
    if (isSlow) samples.note('import', contestant, n, 'measured once: a run takes minutes');
    if (base !== undefined && (!canImport || isSlow || !wants('import', 'stall'))) continue;
    await cell(
      { name: canImport ? 'import' : 'stored by commands', metrics: importMetrics, contestant, n, run },
      async () => {
        if (base === undefined) {
          const { profile, imported } = await createBase(suite, contestant, n, prepared);
          bases.set(contestant, profile);
          return imported;
        }
        const profile = profiles.fresh();
        try {
          return await importInto(suite, profile, contestant, n, prepared);
        } finally {
          profiles.remove(profile);
        }
      },
    );
  }
}

/** Everything that is measured with n events stored, in one browser per contestant. */
export async function runStored(suite, run, n, { prepared, bases }) {
  for (const contestant of inTurn([...bases.keys()], run)) {
    await onCopy(suite, bases.get(contestant), ({ page, newPage }) =>
      measureStored(
        suite,
        { page, newPage, address: suite.address, quick: suite.quick, nextSeed: suite.nextSeed },
        { contestant, n, run, expected: prepared.summary },
      ),
    );
  }
}

async function measureStored({ cell, wants, samples }, browser, measured) {
  const at = { ...browser, ...measured };
  const { page, address, contestant, n, expected } = at;
  if (wants('cold-start', 'stall', 'memory')) {
    await cell({ ...measured, name: 'cold start', metrics: coldStartMetrics }, () => measureColdStart(at));
  } else {
    await openPage(page, address, contestant, expected);
  }
  const rest = [
    ['visible', ['visible p50', 'visible p99'], measureVisible],
    ['append', ['append p50'], measureAppend],
    ['concurrent', ['append concurrent'], measureConcurrent],
    ['tabs', ['tabs p50'], measureTabs],
  ];
  for (const [name, metrics, measure] of rest) {
    if (contestant === 'dexie' && name === 'concurrent' && n > 10_000) {
      // Seven minutes and more at 100,000.
      const reason = 'left out above 10,000: every command folds all rows again on the page';
      for (const metric of metrics) samples.note(metric, contestant, n, reason);
      continue;
    }
    if (wants(name)) await cell({ ...measured, name, metrics }, () => measure(at));
  }
  // Last: it throws away what makes the others fast.
  if (wants('rebuild', 'stall')) {
    if (await page.evaluate(() => window.bench.has.rebuild)) {
      await cell({ ...measured, name: 'rebuild', metrics: rebuildMetrics }, () => measureRebuild(at));
    } else {
      noteMissing(samples, rebuildMetrics, contestant, n, 'rebuild');
    }
  }
  // After the rebuild that is timed: again and again, it warms everything up. Only Varve builds beside what it shows.
  if (contestant === 'varve' && wants('rebuild-load')) {
    await cell({ ...measured, name: 'rebuild under load', metrics: rebuildLoadMetrics }, () =>
      measureRebuildUnderLoad(at),
    );
  }
}

/** Varve's page with an empty log: what its cold start and its memory are compared with. */
export async function runEmpty(suite, run, base) {
  await suite.cell({ name: 'empty log', metrics: [], contestant: 'varve', n: 0, run }, () =>
    onCopy(suite, base, ({ page }) =>
      measureColdStart({ page, address: suite.address, contestant: 'varve', expected: empty, quick: suite.quick }),
    ),
  );
}

export async function runAggregate(suite, run, n, { prepared, bases }) {
  const { address, quick } = suite;
  const metrics = ['aggregate load, cold p50', 'aggregate load, warm'];
  for (const contestant of inTurn(['varve', 'raw'], run)) {
    await suite.cell({ name: 'aggregate load', metrics, contestant, n, run }, async () => {
      if (!bases.has(contestant)) bases.set(contestant, (await createBase(suite, contestant, n, prepared)).profile);
      return onCopy(suite, bases.get(contestant), async ({ page }) => {
        // What is measured is the fold, not a saved state.
        await openPage(page, address, contestant === 'varve' ? 'varve-unsaved' : contestant, prepared.summary);
        return measureAggregate({ page, n, quick });
      });
    });
  }
}

/** Queries on n rows; the first run's profiles stay for the others. */
export async function runQuery(suite, run, n, bases) {
  const { address, quick, profiles, samples } = suite;
  const metrics = ['query, first', 'query, update p50'];
  for (const contestant of inTurn(['varve', 'raw'], run)) {
    if (contestant === 'raw' && n > large) {
      for (const metric of metrics)
        samples.note(metric, contestant, n, 'left out above 100,000: it sorts all rows at every change');
      continue;
    }
    await suite.cell({ name: 'query', metrics, contestant, n, run }, async () => {
      const name = `${contestant}-${n}`;
      if (!bases.has(name)) {
        const profile = profiles.fresh();
        await withBrowser(profile, ({ page }) => fillRows({ page, address, contestant, n }));
        bases.set(name, profile);
      }
      return onCopy(suite, bases.get(name), ({ page }) => measureQuery({ page, address, contestant, quick }));
    });
  }
}

/** A log that goes to a server as a whole, and a new device that gets it; then what the server's database takes for that. */
export async function runSync(suite, run, n, { prepared, bases }) {
  const { address, profiles, syncServer, cell, samples } = suite;
  const metrics = ['sync, push', 'sync, pull', 'sync, first paint of a joined log'];
  const folders = [profiles.fresh(), profiles.fresh()];
  await cell({ name: 'sync', metrics, contestant: 'varve', n, run }, async () => {
    if (!bases.has('varve')) bases.set('varve', (await createBase(suite, 'varve', n, prepared)).profile);
    await syncServer.open(folders[0]);
    try {
      const { logId, ...pushed } = await onCopy(suite, bases.get('varve'), ({ page }) =>
        measurePush({ page, address, n }),
      );
      const joined = await onFresh(suite, ({ page }) =>
        measureJoin({ page, address, n, logId, expected: prepared.summary }),
      );
      const insertMs = await syncServer.timeInserting(logId, folders[1]);
      const readMs = await syncServer.timeReading(logId);
      const limits = { 'sync, push': n / (insertMs / 1000), 'sync, pull': n / (readMs / 1000) };
      samples.add({ contestant: 'limit', n, run, disturbed: false }, limits);
      return { ...pushed, ...joined };
    } finally {
      await syncServer.close();
      for (const folder of folders) profiles.remove(folder);
    }
  });
}

export async function runBank(suite, run, { file, expected }) {
  const n = expected.transactions;
  for (const contestant of inTurn(['varve', 'raw', 'limit'], run)) {
    await suite.cell({ name: 'bank statement', metrics: ['bank statement'], contestant, n, run }, () =>
      onFresh(suite, async ({ page }) => {
        await openPage(page, suite.address, contestant, empty);
        return measureStatement({ page, file, expected });
      }),
    );
  }
}

export async function runManuscript(suite, run, { file, count }) {
  const { samples, address } = suite;
  const metrics = ['manuscript, write', 'manuscript, import', 'manuscript, rebuild'];
  await suite.cell({ name: 'manuscript', metrics, contestant: 'varve', n: count, run }, async () => {
    const { varve, memory } = await onFresh(suite, ({ page }) => measureManuscript({ page, address, file }));
    samples.add({ contestant: 'memory', n: count, run, disturbed: false }, memory);
    const missing = metrics.filter((metric) => varve[metric] === undefined);
    noteMissing(samples, missing, 'varve', count, 'import, export or rebuild');
    return varve;
  });
}

function noteMissing(samples, metrics, contestant, n, call) {
  for (const metric of metrics) samples.note(metric, contestant, n, `not available: the client has no ${call}`);
}

async function onCopy({ profiles }, base, work) {
  const profile = profiles.copy(base);
  try {
    return await withBrowser(profile, work);
  } finally {
    profiles.remove(profile);
  }
}

async function onFresh({ profiles }, work) {
  const profile = profiles.fresh();
  try {
    return await withBrowser(profile, work);
  } finally {
    profiles.remove(profile);
  }
}

function inTurn(list, run) {
  const start = (run - 1) % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}
