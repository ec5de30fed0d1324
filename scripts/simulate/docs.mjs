import { readFileSync } from 'node:fs';
import { readable, toTable, writeBlock } from '../docs-block.mjs';

/** What a run counts, and what that means to who reads of it. */
const labels = [
  ['runs', 'runs, each with 2 to 5 devices and what becomes of them'],
  ['messages', 'messages'],
  ['saved', 'commands that were saved'],
  ['commits', 'commits that the server has at the end'],
  ['refused', 'commands that were withdrawn, each with its reason'],
  ['crashes', 'tabs that were killed'],
  ['restores', 'servers that were put back to an older backup'],
  ['clones', 'profiles that were copied'],
  ['rollbacks', 'profiles that were put back to an older state'],
  ['gone', 'commits of which the only copy went with a rolled-back profile, and is known to be gone'],
  ['violations', '**lost, doubled, diverged, torn, or never at rest**'],
];

/** Writes the sums of results that `--json` wrote, of runs and of planted faults, into docs/reliability.md. */
export function writeDocs(files) {
  const results = files.map((file) => JSON.parse(readFileSync(file, 'utf8')));
  const runs = results.filter((result) => !Array.isArray(result)).toSorted((one, other) => one.seed - other.seed);
  const faults = results.filter(Array.isArray).flat();
  if (runs.length > 0) writeBlock('reliability.md', 'simulate', describeRuns(runs));
  if (faults.length > 0) writeBlock('reliability.md', 'faults', describeFaults(faults));
}

/** @param runs in order of their seeds. */
export function describeRuns(runs) {
  const rows = labels.map(([name, label]) => {
    const sum = runs.reduce((total, result) => total + result[name], 0);
    return [label, name === 'violations' ? `**${readable(sum)}**` : readable(sum)];
  });
  const longest = Math.max(...runs.map(({ longestRestMs }) => longestRestMs));
  rows.splice(-1, 0, [
    'longest time from the last disturbance to rest, simulated minutes',
    Math.ceil(longest / 60_000),
  ]);
  return `Seeds ${joinSeeds(runs)}.\n\n${toTable(['', 'count'], rows)}`;
}

function describeFaults(faults) {
  const rows = faults.map(({ fault, runs, invariants }) => [
    fault,
    invariants === undefined ? '**not found**' : invariants.join(', '),
    readable(runs),
  ]);
  return toTable(['planted', 'found by', 'runs'], rows);
}

/** Files whose seeds follow each other, and were run at the same commit, are named as one. Throws where two hold the same seed. */
function joinSeeds(runs) {
  const ranges = [];
  for (const { seed, lastSeed, commit } of runs) {
    const before = ranges.at(-1);
    if (before !== undefined && seed <= before.to) throw new Error(`Seed ${seed} is in two of the files.`);
    if (before !== undefined && seed === before.to + 1 && commit === before.commit) before.to = lastSeed;
    else ranges.push({ from: seed, to: lastSeed, commit });
  }
  const at = (commit) => (commit === undefined ? '' : ` (at \`${commit}\`)`);
  return ranges.map(({ from, to, commit }) => `${readable(from)} to ${readable(to)}${at(commit)}`).join(', ');
}
