import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/installed.mjs';
import { toMarkdownTable } from './table.mjs';

const path = join(root, 'docs/performance.md');
const between = /(<!-- bench -->\n)[\s\S]*(<!-- \/bench -->)/;

/** Replaces what stands between the markers: nobody else writes there. */
export function writeDocs(rows, { runs, seed, quick }, { machine, browser, versions, date }) {
  const page = readFileSync(path, 'utf8');
  if (!between.test(page)) throw new Error(`${path} has no <!-- bench --> and <!-- /bench --> to write between.`);
  const length = quick ? 'short samples (`--quick`)' : 'full samples';
  const made = `${date} · ${machine} · ${browser} · ${versions} · ${runs} ${runs === 1 ? 'run' : 'runs'}, ${length}, seed ${seed}`;
  writeFileSync(
    path,
    page.replace(between, (_all, start, end) => `${start}${made}\n\n${toMarkdownTable(rows)}\n${end}`),
  );
}
