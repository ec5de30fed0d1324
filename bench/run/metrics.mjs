// What is measured and what it should be. `against` is who or what a ratio is to, in the same run:
// a contestant at the same n, `empty` (the same page with an empty log) or `smallest` (the same at the smallest n).
// `group`: what `--only` calls it. `from`: the n that a target is for, and everything above; A target without a limit is a comparison. `above`: the difference counts and not the ratio.

export const metrics = [
  {
    name: 'import',
    group: 'import',
    unit: 'events/s',
    more: true,
    targets: [
      { against: 'raw', atLeast: 15, from: 100_000 },
      { against: 'limit', atLeast: 0.5 },
    ],
  },
  { name: 'append p50', group: 'append', unit: 'ms', targets: [{ against: 'raw', atMost: 2 }] },
  {
    name: 'append concurrent',
    group: 'concurrent',
    unit: 'commands/s',
    more: true,
    targets: [{ against: 'raw', atLeast: 5 }],
  },
  {
    name: 'visible p50',
    group: 'visible',
    unit: 'ms',
    targets: [
      { against: 'raw', atMost: 1.5 },
      { against: 'smallest', atMost: 1.25 },
    ],
  },
  { name: 'visible p99', group: 'visible', unit: 'ms', targets: [{ atMost: 33.3 }] },
  { name: 'cold start', group: 'cold-start', unit: 'ms', targets: [{ against: 'empty', atMost: 1.15 }] },
  {
    name: 'rebuild',
    group: 'rebuild',
    unit: 'events/s',
    more: true,
    targets: [
      { against: 'raw', atLeast: 10 },
      { against: 'limit', atLeast: 0.5 },
    ],
  },
  { name: 'rebuild time', group: 'rebuild', unit: 'ms', targets: [{ atMost: 2_000 }] },
  // Two frames of a screen of 60 Hz.
  { name: 'frame p95, rebuilding, above idle', group: 'rebuild-load', unit: 'ms', targets: [{ atMost: 33.3 }] },
  { name: 'visible p50, rebuilding', group: 'rebuild-load', unit: 'ms', targets: [] },
  { name: 'longest task, cold start', group: 'stall', unit: 'ms', targets: [{ atMost: 50 }] },
  { name: 'longest task, rebuild', group: 'stall', unit: 'ms', targets: [{ atMost: 50 }] },
  { name: 'longest task, import', group: 'stall', unit: 'ms', targets: [{ atMost: 50 }] },
  { name: 'blocking time, cold start', group: 'stall', unit: 'ms', targets: [] },
  { name: 'blocking time, rebuild', group: 'stall', unit: 'ms', targets: [] },
  { name: 'blocking time, import', group: 'stall', unit: 'ms', targets: [] },
  { name: 'aggregate load, cold p50', group: 'aggregate', unit: 'ms', targets: [{ atMost: 10 }] },
  { name: 'aggregate load, warm', group: 'aggregate', unit: 'ms', targets: [{ atMost: 0.2 }] },
  { name: 'tabs p50', group: 'tabs', unit: 'ms', targets: [{ against: 'raw', atMost: 2 }] },
  { name: 'size on disk', group: 'size', unit: 'bytes/event', targets: [{ against: 'raw', atMost: 0.3 }] },
  { name: 'memory, page', group: 'memory', unit: 'MB', targets: [{ against: 'empty', atMost: 5, above: true }] },
  { name: 'memory, worker', group: 'memory', unit: 'MB', targets: [] },
  { name: 'manuscript, write', group: 'manuscript', unit: 'events/s', more: true, targets: [] },
  { name: 'manuscript, import', group: 'manuscript', unit: 'events/s', more: true, targets: [] },
  { name: 'manuscript, rebuild', group: 'manuscript', unit: 'events/s', more: true, targets: [{ against: 'memory' }] },
  { name: 'query, first', group: 'query', unit: 'ms', targets: [{ atMost: 50 }, { against: 'raw', atMost: 1 }] },
  { name: 'query, update p50', group: 'query', unit: 'ms', targets: [{ against: 'raw', atMost: 1 }] },
  { name: 'sync, push', group: 'sync', unit: 'events/s', more: true, targets: [{ against: 'limit' }] },
  { name: 'sync, pull', group: 'sync', unit: 'events/s', more: true, targets: [{ against: 'limit' }] },
  { name: 'sync, first paint of a joined log', group: 'sync', unit: 'ms', targets: [] },
  { name: 'bank statement', group: 'bank', unit: 'events/s', more: true, targets: [] },
];

/** What `--only` takes. */
export const metricGroups = [...new Set(metrics.map(({ group }) => group))];

/** In the order of a table. */
export const contestants = ['varve', 'raw', 'limit', 'dexie', 'memory'];
