import { metrics } from './metrics.mjs';

/** Every value that was measured: one per metric, contestant, n and run. Only metrics of the groups asked for are kept. */
export function createSamples(groups) {
  const wanted = new Set(metrics.filter(({ group }) => groups.has(group)).map(({ name }) => name));
  const list = [];
  const notes = new Map();
  return {
    list,
    notes,
    /** Takes a cell's values by metric; what is undefined was not measured. */
    add: ({ contestant, n, run, disturbed }, valueByMetric) => {
      for (const [metric, value] of Object.entries(valueByMetric)) {
        if (value !== undefined && wanted.has(metric)) list.push({ metric, contestant, n, run, value, disturbed });
      }
    },
    /** Why there is no value, or what to know about it. */
    note: (metric, contestant, n, text) => {
      if (wanted.has(metric)) notes.set(noteKey(metric, contestant, n), text);
    },
  };
}

export function noteKey(metric, contestant, n) {
  return `${metric}|${contestant}|${n}`;
}
