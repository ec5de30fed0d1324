import { metrics } from './metrics.mjs';

const barLength = 24;

/** The table for a terminal: a block per metric and n, and a bar per contestant, as long as its share of the largest. */
export function toTextTable(rows) {
  return blocksOf(rows)
    .map(({ metric, n, unit, lines }) => {
      const title = `${metric} · n = ${formatNumber(n)} · ${unit}${isMore(metric) ? ', more is better' : ''}`;
      return [title, ...lines.map(lineToText)].join('\n');
    })
    .join('\n\n');
}

function lineToText({ name, value, bar, remarks }) {
  return `  ${name.padEnd(8)}${value.padStart(12)}  ${bar.padEnd(barLength)}  ${remarks.join(' · ')}`.trimEnd();
}

/** The same as Markdown. */
export function toMarkdownTable(rows) {
  const body = blocksOf(rows).flatMap(({ metric, n, unit, lines }) =>
    lines.map(
      ({ name, value, bar, remarks }, index) =>
        `| ${index === 0 ? `${metric}, ${unit}` : ''} | ${index === 0 ? formatNumber(n) : ''} | ${name} | ${value} | ${
          bar === '' ? '' : `\`${bar}\``
        } | ${remarks.join('<br>')} |`,
    ),
  );
  return ['| metric | n | | median | | ratio, target |', '|---|--:|---|--:|---|---|', ...body].join('\n');
}

/** Rows of one metric and n together, each contestant once with all of its comparisons. */
function blocksOf(rows) {
  const blocks = new Map();
  for (const row of rows) {
    const key = `${row.metric}|${row.n}`;
    blocks.set(key, [...(blocks.get(key) ?? []), row]);
  }
  return [...blocks.values()].map((block) => {
    const [{ metric, n, unit }] = block;
    const largest = Math.max(0, ...block.map(({ value }) => value ?? 0));
    const names = [...new Set(block.map(({ contestant }) => contestant))];
    const lines = names.map((name) => {
      const own = block.filter(({ contestant }) => contestant === name);
      const [first] = own;
      return {
        name,
        value: first.value === null ? '–' : formatNumber(first.value),
        bar: toBar(first.value, largest),
        remarks: [...own.map(compare), ...about(first)].filter((remark) => remark !== ''),
      };
    });
    return { metric, n, unit, lines };
  });
}

function compare({ ratio, baseline, target, met, value }) {
  const compared = ratio === null || baseline === null ? '' : `${formatNumber(ratio)} × ${baseline}`;
  if (target === null) return compared;
  const verdict = met === null ? 'not known' : met ? 'met' : 'missed';
  return value === null ? '' : `${compared}${compared === '' ? '' : ', '}target ${target}: ${verdict}`;
}

function about({ note, runs, disturbed }) {
  const remarks = note === undefined ? [] : [note];
  if (disturbed > 0) remarks.push(`disturbed in ${disturbed} of ${runs} ${runs === 1 ? 'run' : 'runs'}`);
  return remarks;
}

function toBar(value, largest) {
  if (value === null || largest === 0) return '';
  return '█'.repeat(Math.max(1, Math.round((value / largest) * barLength)));
}

/** Three figures that matter, thousands set apart. */
export function formatNumber(number) {
  if (Math.abs(number) >= 100) return Math.round(number).toLocaleString('en');
  return String(Number(number.toPrecision(3)));
}

function isMore(metric) {
  return metrics.some(({ name, more }) => name === metric && more === true);
}
