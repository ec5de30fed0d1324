// The code blocks of a page of the documentation, and what each does to the reader's project.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Blocks in these languages are files of the reader's project, and name theirs in their first line. */
const languages = ['ts', 'tsx', 'html', 'css', 'jsonc'];

/**
 * @typedef {object} Block
 * @property {string} language
 * @property {string} code Ends with a line break.
 * @property {string} where Page and line, for messages.
 */

/** @returns {Block[]} the fenced blocks of a Markdown text, in order */
export function readBlocks(page, text) {
  const lines = text.split('\n');
  const blocks = [];
  for (let start = 0; start < lines.length; start += 1) {
    const fence = /^( *)(`{3,}|~{3,})(\S*)/.exec(lines[start]);
    if (fence === null) continue;
    const end = lines.findIndex((line, index) => index > start && line.trim() === fence[2]);
    if (end === -1) throw new Error(`${page}:${start + 1}: this block is not closed.`);
    const code = lines.slice(start + 1, end).join('\n');
    blocks.push({ language: fence[3], code: `${code}\n`, where: `${page}:${start + 1}` });
    start = end;
  }
  return blocks;
}

/** What a block says in its first line: which file it is, or what the compiler says to it. */
export function readHeading({ language, code, where }) {
  if (!languages.includes(language)) return undefined;
  const [first = '', ...rest] = code.split('\n');
  const note = /^(?:\/\/|<!--|\/\*) (.+?)(?: -->| \*\/)?$/.exec(first)?.[1] ?? '';
  const body = rest.join('\n');
  const refused = /^does not compile: (.+)$/.exec(note)?.[1];
  if (refused !== undefined) return { kind: 'refused', message: refused, body };
  const [, file, how, beginning] =
    /^([\w.-]+(?:\/[\w.-]+)*\.\w+)(?:, (at the end|as it is|in the place of: (.+)))?$/.exec(note) ?? [];
  if (file === undefined) {
    throw new Error(`${where}: the first line must name the file, or say what the compiler says: "${first}" does not.`);
  }
  if (beginning !== undefined) return { kind: 'in the place', file, beginning, body: body.trimEnd() };
  return { kind: how ?? 'whole', file, body };
}

/** Puts a block into the project, as its reader would. */
export function applyBlock(folder, { kind, file, beginning, body }, where) {
  const path = join(folder, file);
  if (kind !== 'whole' && !existsSync(path)) throw new Error(`${where}: there is no ${file} yet.`);
  const before = kind === 'whole' ? '' : readFileSync(path, 'utf8');
  mkdirSync(dirname(path), { recursive: true });
  switch (kind) {
    case 'whole':
      return writeFileSync(path, body);
    case 'at the end':
      return writeFileSync(path, `${before.trimEnd()}\n\n${body}`);
    case 'in the place':
      return writeFileSync(path, replacePart(before, beginning, body, `${where}: ${file}`));
    case 'as it is':
      if (!dedent(before).includes(dedent(body))) throw new Error(`${where}: this does not stand in ${file}.`);
  }
}

/** Puts a part in the place of the line that begins so, with all that is indented below it and what closes it. */
function replacePart(text, beginning, part, what) {
  const lines = text.split('\n');
  const starts = lines.flatMap((line, index) => (line.trim().startsWith(beginning) ? [index] : []));
  if (starts.length !== 1) throw new Error(`${what} has ${starts.length} lines that begin with "${beginning}".`);
  const [start] = starts;
  const depth = (line) => line.length - line.trimStart().length;
  let end = start + 1;
  while (end < lines.length && (lines[end] === '' || depth(lines[end]) > depth(lines[start]))) end += 1;
  if (end > start + 1 && /^ *[\])}]/.test(lines[end] ?? '')) end += 1;
  return [...lines.slice(0, start), part, ...lines.slice(end)].join('\n');
}

/** Where it stands in its file does not matter. */
function dedent(code) {
  return code
    .split('\n')
    .map((line) => line.trim())
    .join('\n')
    .trim();
}
