import { writeBlock } from '../../scripts/docs-block.mjs';
import { toMarkdownTable } from './table.mjs';

/** A run of sync alone has a table of its own: it leaves the large one as it is. */
export function writeDocs(rows, { runs, seed, quick, only }, { machine, browser, versions, date }) {
  const length = quick ? 'short samples (`--quick`)' : 'full samples';
  const made = `${date} · ${machine} · ${browser} · ${versions} · ${runs} ${runs === 1 ? 'run' : 'runs'}, ${length}, seed ${seed}`;
  const isSync = only.size === 1 && only.has('sync');
  writeBlock('performance.md', isSync ? 'bench-sync' : 'bench', `${made}\n\n${toMarkdownTable(rows)}`);
}
