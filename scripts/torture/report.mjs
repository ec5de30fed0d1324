import { createRandom } from './random.mjs';

/** Counts what all rounds found, and prints one line for each; a line that tells of a problem names the seed. */
export function createReport(seed) {
  const found = {
    lost: 0,
    doubled: 0,
    torn: 0,
    gaps: 0,
    'wrong rows': 0,
    'chain breaks': 0,
    refused: 0,
    'open failures': 0,
    stuck: 0,
  };
  const takeoversMs = new Map();
  let acknowledged = 0;
  let wiped = 0;

  return {
    /**
     * Runs one round, which returns its problems by name, `text` aside. One that throws counts as `stuck`: something
     * that must always come did not come.
     */
    round: async (name, round, run) => {
      const startedAt = performance.now();
      const { text = '', ...problems } = await run(createRandom(`${seed} ${name} ${round}`)).catch((error) => ({
        stuck: 1,
        text: error.message,
      }));
      const bad = Object.entries(problems).filter(([, count]) => count > 0);
      for (const [problem, count] of Object.entries(problems)) found[problem] = (found[problem] ?? 0) + count;
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      const verdict = bad.map(([problem, count]) => `; ${count} ${problem}`).join('');
      const where = bad.length > 0 ? ` (seed ${seed}, ${name} ${round})` : '';
      console.log(`  ${name} ${round}: ${seconds} s${verdict}${text === '' ? '' : `; ${text}`}${where}`);
    },
    /** From a disturbance to the next answer. */
    noteTakeover: (name, ms) => takeoversMs.set(name, [...(takeoversMs.get(name) ?? []), ms]),
    /** The answers of a profile that is done with. */
    noteProfile: (profile) => {
      acknowledged += profile.acknowledged.size;
    },
    /** The browser lost the whole storage of the site, and the app told: nothing that an app could prevent. */
    noteWipe: () => {
      wiped += 1;
    },
    failed: () => acknowledged === 0 || Object.values(found).some((count) => count > 0),
    result: () => ({
      seed,
      acknowledged,
      ...found,
      'wiped by the browser, and told': wiped,
      ...Object.fromEntries([...takeoversMs].flatMap(([name, values]) => percentiles(name, values))),
    }),
  };
}

function percentiles(name, values) {
  const sorted = values.toSorted((one, other) => one - other);
  return [50, 99].map((percent) => {
    const index = Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100));
    return [`${name} takeover p${percent} ms`, Math.round(sorted[index])];
  });
}
