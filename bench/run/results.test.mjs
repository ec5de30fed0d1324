import { describe, expect, it } from 'vitest';
import { metricGroups } from './metrics.mjs';
import { toResults } from './results.mjs';
import { createSamples } from './samples.mjs';

function samplesOf(...values) {
  const samples = createSamples(new Set(metricGroups));
  for (const [contestant, n, run, valueByMetric, disturbed = false] of values) {
    samples.add({ contestant, n, run, disturbed }, valueByMetric);
  }
  return samples;
}

const find = (rows, contestant, baseline) =>
  rows.find((row) => row.contestant === contestant && row.baseline === baseline);

describe('the results', () => {
  it('are medians of values, and of the ratios within each run', () => {
    const rows = toResults(
      samplesOf(
        ['varve', 10_000, 1, { 'append p50': 1 }],
        ['raw', 10_000, 1, { 'append p50': 1 }],
        ['varve', 10_000, 2, { 'append p50': 9 }, true],
        ['raw', 10_000, 2, { 'append p50': 3 }],
        ['varve', 10_000, 3, { 'append p50': 2 }],
        ['raw', 10_000, 3, { 'append p50': 4 }],
      ),
    );
    expect(find(rows, 'varve', 'raw')).toMatchObject({
      ...{ value: 2, baselineValue: 3, ratio: 1, runs: 3, disturbed: 1 },
      ...{ target: '≤ 2 × raw', met: true },
    });
    expect(find(rows, 'raw', null)).toMatchObject({ value: 3, ratio: null, target: null, met: null });
  });

  it('ask nothing below the n that a target is for', () => {
    const rows = toResults(
      samplesOf(
        ['varve', 10_000, 1, { import: 10 }],
        ['raw', 10_000, 1, { import: 10 }],
        ['varve', 100_000, 1, { import: 10 }],
        ['raw', 100_000, 1, { import: 10 }],
      ),
    );
    const againstRaw = rows.filter(({ contestant, baseline }) => contestant === 'varve' && baseline === 'raw');
    expect(againstRaw.map(({ met }) => met)).toEqual([null, false]);
  });

  it('compare with the same page with an empty log, and with the smallest n', () => {
    const rows = toResults(
      samplesOf(
        ['varve', 0, 1, { 'cold start': 100, 'memory, page': 2 }],
        ['varve', 10_000, 1, { 'cold start': 110, 'memory, page': 6, 'visible p50': 4 }],
        ['varve', 100_000, 1, { 'cold start': 120, 'memory, page': 8, 'visible p50': 8 }],
      ),
    );
    const ofMetric = (metric, baseline) => rows.filter((row) => row.metric === metric && row.baseline === baseline);
    expect(ofMetric('cold start', 'empty').map(({ met }) => met)).toEqual([true, false]);
    expect(ofMetric('memory, page', 'empty').map(({ met }) => met)).toEqual([true, false]);
    expect(ofMetric('visible p50', 'smallest').map(({ n, ratio }) => [n, ratio])).toEqual([[100_000, 2]]);
  });

  it('have no ratio to nothing', () => {
    const stalls = { 'blocking time, import': 0 };
    const rows = toResults(samplesOf(['varve', 10_000, 1, stalls], ['raw', 10_000, 1, stalls]));
    expect(find(rows, 'varve', 'raw')).toMatchObject({ value: 0, ratio: null });
  });

  it('keep a row for what is not available, with the reason', () => {
    const samples = samplesOf(['raw', 10_000, 1, { rebuild: 10 }]);
    samples.note('rebuild', 'varve', 10_000, 'not available');
    const row = find(toResults(samples), 'varve', 'raw');
    expect(row).toMatchObject({ value: null, ratio: null, runs: 0, met: null, note: 'not available' });
  });
});
