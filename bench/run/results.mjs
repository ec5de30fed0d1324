import { contestants, metrics } from './metrics.mjs';
import { noteKey } from './samples.mjs';
import { median } from './statistics.mjs';

/**
 * Turns samples into rows: medians of values, and of the ratios within each run.
 *
 * One row per metric, n, contestant and target; the others than Varve have no targets and are compared with `raw`.
 */
export function toResults({ list, notes }) {
  const sizes = [...new Set([...list.map(({ n }) => n), ...[...notes.keys()].map((key) => Number(key.split('|')[2]))])]
    .filter((n) => n > 0)
    .sort((a, b) => a - b);
  const rows = [];
  for (const metric of metrics) {
    for (const n of sizes) {
      for (const contestant of contestants) {
        const known = find(list, metric.name, contestant, n).length > 0;
        const note = notes.get(noteKey(metric.name, contestant, n));
        if (!known && note === undefined) continue;
        for (const target of targetsOf(metric, contestant, n, list)) {
          rows.push(toRow(list, metric, contestant, n, target, note));
        }
      }
    }
  }
  return rows;
}

/** At least one, so that every contestant has a row. Varve is compared with `raw` also where its target is another. */
function targetsOf(metric, contestant, n, list) {
  const plain = [{ against: contestant === 'raw' ? undefined : 'raw' }];
  if (contestant !== 'varve') return plain;
  const smallest = Math.min(...list.filter(({ metric: name, n }) => name === metric.name && n > 0).map(({ n }) => n));
  const targets = metric.targets.filter(({ against }) => against !== 'smallest' || n > smallest);
  const hasRaw = find(list, metric.name, 'raw', n).length > 0;
  const missesRaw = hasRaw && targets.every(({ against }) => against !== 'raw');
  return missesRaw || targets.length === 0 ? [...targets, ...plain] : targets;
}

function toRow(list, { name, unit }, contestant, n, target, note) {
  const own = find(list, name, contestant, n);
  const value = median(own.map((sample) => sample.value));
  const baseline = baselineOf(list, name, contestant, n, target);
  const ratio = toRatio(own, baseline);
  const isWanted = (target.atMost ?? target.atLeast) !== undefined && n >= (target.from ?? 0);
  const baselineValue = median(baseline.map((sample) => sample.value));
  return {
    metric: name,
    contestant,
    n,
    value: value ?? null,
    unit,
    baseline: target.against ?? null,
    baselineValue: baselineValue ?? null,
    ratio: ratio ?? null,
    runs: own.length,
    target: isWanted ? targetToText(target, unit) : null,
    met: isWanted ? isMet(target, value, ratio, baselineValue) : null,
    disturbed: own.filter((sample) => sample.disturbed).length,
    ...(note === undefined ? {} : { note }),
  };
}

function baselineOf(list, name, contestant, n, { against }) {
  switch (against) {
    case undefined:
      return [];
    case 'empty':
      return find(list, name, contestant, 0);
    case 'smallest': {
      const sizes = list.filter((sample) => sample.metric === name && sample.n > 0).map((sample) => sample.n);
      return find(list, name, contestant, Math.min(...sizes));
    }
    default:
      return find(list, name, against, n);
  }
}

/** The median of each run's own ratio; of the medians where no run has both. */
function toRatio(own, baseline) {
  if (baseline.some(({ value }) => value === 0)) return undefined;
  const byRun = new Map(baseline.map(({ run, value }) => [run, value]));
  const shared = own.filter(({ run }) => byRun.has(run)).map(({ run, value }) => value / byRun.get(run));
  if (shared.length > 0) return median(shared);
  const [value, base] = [median(own.map((sample) => sample.value)), median(baseline.map((sample) => sample.value))];
  return value === undefined || base === undefined ? undefined : value / base;
}

/** Null where it cannot be said. */
function isMet({ against, atLeast, atMost, above }, value, ratio, baselineValue) {
  const judged = above ? value - baselineValue : against === undefined ? value : ratio;
  if (value === undefined || judged === undefined || Number.isNaN(judged)) return null;
  return (atLeast === undefined || judged >= atLeast) && (atMost === undefined || judged <= atMost);
}

function targetToText({ against, atLeast, atMost, above }, unit) {
  const limit = atLeast === undefined ? `≤ ${atMost}` : `≥ ${atLeast}`;
  if (against === undefined) return `${limit} ${unit}`;
  return above ? `${limit} ${unit} above ${against}` : `${limit} × ${against}`;
}

function find(list, metric, contestant, n) {
  return list.filter((sample) => sample.metric === metric && sample.contestant === contestant && sample.n === n);
}
