import { describe, expect, it } from 'vitest';
import { formatNumber, toMarkdownTable, toTextTable } from './table.mjs';

const row = (contestant, value, more) => ({
  ...{ metric: 'import', n: 100_000, unit: 'events/s', contestant, value, runs: 5, disturbed: 0 },
  ...{ baseline: 'raw', baselineValue: 10_000, ratio: value === null ? null : value / 10_000, target: null, met: null },
  ...more,
});
const rows = [
  row('varve', 240_000, { target: '≥ 15 × raw', met: true, disturbed: 1 }),
  row('varve', 240_000, { baseline: 'limit', ratio: 0.4, target: '≥ 0.5 × limit', met: false, disturbed: 1 }),
  row('raw', 10_000, { baseline: null, ratio: null }),
  row('dexie', null, { note: 'left out' }),
];

describe('the table', () => {
  it('has a block per metric and n, a line per contestant and a bar as long as its share', () => {
    expect(toTextTable(rows).split('\n')).toEqual([
      'import · n = 100,000 · events/s, more is better',
      `  varve        240,000  ${'█'.repeat(24)}  24 × raw, target ≥ 15 × raw: met · 0.4 × limit, target ≥ 0.5 × limit: missed · disturbed in 1 of 5 runs`,
      `  raw           10,000  █`,
      `  dexie              –${' '.repeat(28)}left out`,
    ]);
  });

  it('is the same as Markdown', () => {
    const lines = toMarkdownTable(rows).split('\n');
    expect(lines).toHaveLength(5);
    expect(lines[2]).toContain('| import, events/s | 100,000 | varve | 240,000 |');
    expect(lines[4]).toContain('|  |  | dexie | – |  | left out |');
  });
});

it('keeps three figures', () => {
  expect([0.123456, 12.3456, 123.456, 1234567].map(formatNumber)).toEqual(['0.123', '12.3', '123', '1,234,567']);
});
