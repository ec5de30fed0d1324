import { writeBlock } from '../../scripts/docs-block.mjs';
import { toMarkdownTable } from './table.mjs';

export function writeDocs(rows, { runs, seed, quick }, { machine, browser, versions, date }) {
  const length = quick ? 'short samples (`--quick`)' : 'full samples';
  const made = `${date} · ${machine} · ${browser} · ${versions} · ${runs} ${runs === 1 ? 'run' : 'runs'}, ${length}, seed ${seed}`;
  writeBlock('performance.md', 'bench', `${made}\n\n${toMarkdownTable(rows)}`);
}
