import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './installed.mjs';

/** Replaces what stands between `<!-- name -->` and `<!-- /name -->` of a page in docs: nobody else writes there. */
export function writeBlock(page, name, text) {
  const path = join(root, 'docs', page);
  const [start, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`];
  const whole = readFileSync(path, 'utf8');
  const [from, to] = [whole.indexOf(start), whole.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`${path} has no ${start.trim()} and ${end} to write between.`);
  writeFileSync(path, `${whole.slice(0, from + start.length)}${text}\n${whole.slice(to)}`);
}

export function toTable(head, rows) {
  const [name, ...columns] = head;
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line([name, ...columns]), line(['---', ...columns.map(() => '--:')]), ...rows.map(line)].join('\n');
}

export function readable(number) {
  return number.toLocaleString('en-US');
}
