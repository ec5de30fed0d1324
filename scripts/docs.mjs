// Does what the README and the guide tell their reader to do, block by block, in a project of its own, and fails where
// that does not work: code that does not compile, a command that fails or prints something else, a test that is red, an
// app that does not do in a browser what the page says. docs/guide/README.md has the rules by which blocks are read.
//
// With --picture, takes the guide's picture anew.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { applyBlock, readBlocks, readHeading } from './docs/blocks.mjs';
import { startServing } from './docs/serving.mjs';
import { tryFinished, tryStart, trySynced } from './docs/try-shelf.mjs';
import { root, tool } from './installed.mjs';

const artifacts = join(root, '.artifacts/docs');
rmSync(artifacts, { recursive: true, force: true });
mkdirSync(artifacts, { recursive: true });
const archive = packLibrary();
const picture = process.argv.includes('--picture') ? join(root, 'docs/guide/shelf.png') : undefined;

const guide = join(root, 'docs/guide');
// In the order in which the guide's first page names them.
const pages = [...new Set([...read('docs/guide/README.md').matchAll(/\]\(([a-z-]+\.md)/g)].map(([, page]) => page))];
for (const file of readdirSync(guide)) {
  if (file.endsWith('.md') && file !== 'README.md' && !pages.includes(file))
    throw new Error(`docs/guide/README.md does not lead to ${file}.`);
}

for (const page of ['README.md', 'docs/guide/README.md', ...pages.map((page) => `docs/guide/${page}`)])
  followLinks(page);

/** The server that was started last: what it had is in its folder when the next one starts. */
let serving;

const readme = createProject('readme');
writeFileSync(join(readme, 'tsconfig.json'), JSON.stringify({ extends: '../../../tsconfig.json', include: ['.'] }));
install(readme);
await doPage(readme, 'README.md');

const project = createProject('guide');
for (const page of ['README.md', ...pages]) {
  await doPage(project, `docs/guide/${page}`);
  if (page === 'start.md') await tryStart(project);
  if (page === 'data.md') await tryFinished(buildApp(project), picture);
  if (page === 'sync.md') await trySynced(buildApp(project), serving.port);
}
await serving?.stop();
run('the tests of the guide', [tool('vitest'), 'run'], project);

async function doPage(folder, page) {
  const startedAt = performance.now();
  const refused = [];
  const blocks = readBlocks(page, read(page));
  for (const block of blocks) {
    if (block.language === 'sh') {
      for (const line of block.code.trim().split('\n')) {
        if (line.startsWith('npx varve serve')) await serve(folder, line);
        else runLine(folder, line, block.where);
      }
    } else if (block.language === 'console') runConsole(folder, block);
    else if (block.language !== '' && block.language !== 'text') {
      const heading = readHeading(block);
      if (heading === undefined) throw new Error(`${block.where}: nobody checks a block of "${block.language}".`);
      if (heading.kind === 'refused') refused.push({ ...heading, ...block });
      else applyBlock(folder, heading, block.where);
    }
  }
  if (blocks.length > 0) compile(folder, refused, page);
  console.log(`${page}: ${blocks.length} blocks (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
}

/** Fails where a link to this repository leads nowhere. */
function followLinks(page) {
  for (const [, path, anchor] of read(page).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)) {
    const target = join(root, path === '' ? page : join(page, '..', path));
    const headings = () =>
      [...readFileSync(target, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
        heading
          .toLowerCase()
          .replace(/[^\w\- ]/g, '')
          .replaceAll(' ', '-'),
      );
    if (!existsSync(target) || (anchor !== undefined && !headings().includes(anchor)))
      throw new Error(`${page}: the link to ${path}${anchor === undefined ? '' : `#${anchor}`} leads nowhere.`);
  }
}

/** Compiles the project with what must not compile beside it, and looks at every error. */
function compile(folder, refused, page) {
  const files = refused.map(({ body, language }, index) => {
    const file = `${existsSync(join(folder, 'src')) ? 'src/' : ''}refused-${index}.${language}`;
    writeFileSync(join(folder, file), body);
    return file;
  });
  const { stdout } = spawnSync(process.execPath, [tool('tsc'), '-p', folder, '--pretty', 'false'], {
    cwd: folder,
    encoding: 'utf8',
  });
  // An error begins at the start of a line; what explains it is indented.
  const errors = stdout.split(/\n(?=\S)/).filter((text) => text.trim() !== '');
  for (const [index, { message, where }] of refused.entries()) {
    const own = errors.filter((error) => error.startsWith(files[index]));
    if (!own.some((error) => error.includes(message)))
      throw new Error(`${where}: the compiler was to say "${message}"; it said:\n${own.join('\n') || 'nothing'}`);
    rmSync(join(folder, files[index]));
  }
  const others = errors.filter((error) => !files.some((file) => error.startsWith(file)));
  if (others.length > 0) throw new Error(`After ${page} the project does not compile:\n${others.join('\n')}`);
}

/** A block of commands with what they print: `$` begins a command, and `…` stands for some text, or for lines. */
function runConsole(folder, { code, where }) {
  for (const part of code.split(/^\$ /m).slice(1)) {
    const [line, ...said] = part.trim().split('\n');
    const printed = runLine(folder, line, where, true).trim();
    const pattern = said
      .map((text) => escapeText(text.trimEnd()).replace(/^…$/, '[^]*').replaceAll('…', '.*'))
      .join('\n');
    if (!new RegExp(`^${pattern}$`).test(printed.replace(/[ \t]+$/gm, '')))
      throw new Error(`${where}: "${line}" prints something else:\n${printed}`);
  }
}

function escapeText(text) {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** Starts the server in the place of the one before, which ends as by Ctrl+C. */
async function serve(folder, line) {
  await serving?.stop();
  const [, , ...args] = withoutNote(line).split(/ +/);
  serving = await startServing(varve(folder), args, folder);
}

function varve(folder) {
  return join(folder, 'node_modules/varve/dist/cli/main.js');
}

function withoutNote(line) {
  return line.replace(/ +#.*$/, '').trim();
}

/** Runs a command line of the guide as it stands, but for what needs a network or does not end. */
function runLine(folder, fullLine, where, mayFail = false) {
  const line = withoutNote(fullLine);
  const [program, ...args] = line.split(/ +/);
  if (line === '') return '';
  // What runs this script, what ends with Ctrl+C, and where the reader goes: the project's folder is that already.
  if (['npm start', 'npm test', 'npm pack', 'npm run dev', 'npx vite'].includes(line)) return '';
  if (program === 'mkdir' || program === 'cd' || program === 'git') return '';
  if (program === 'npm' && args[0] === 'install') return install(folder, args.slice(1), where);
  if (program === 'npm') return run(where, [npm(), ...args], folder);
  if (program === 'npx' && args[0] === 'varve') return run(where, [varve(folder), ...args.slice(1)], folder, mayFail);
  if (program === 'npx') return run(where, [tool(args[0]), ...args.slice(1)], folder, mayFail);
  throw new Error(`${where}: nobody runs "${line}".`);
}

function run(what, args, cwd, mayFail = false) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  if (status !== 0 && !mayFail) throw new Error(`${what} failed:\n${stdout}${stderr}`);
  return stdout + stderr;
}

/** Puts the packed library into a project, as npm would. All other packages are found in the folders above. */
function install(folder, names = [], where = '') {
  for (const spec of names.filter((name) => !name.startsWith('-') && !name.endsWith('.tgz'))) {
    const name = spec.replace(/(?<=.)@.*$/, '');
    if (!existsSync(join(root, 'node_modules', name))) {
      throw new Error(`${where}: this project has no ${name} to try the guide with.`);
    }
  }
  const target = join(folder, 'node_modules/varve');
  if (existsSync(target)) return '';
  mkdirSync(target, { recursive: true });
  const { status } = spawnSync('tar', ['-xzf', archive, '-C', target, '--strip-components=1']);
  if (status !== 0) throw new Error(`${archive} could not be unpacked.`);
  return '';
}

function packLibrary() {
  // Builds it first, as it does for the reader.
  run('npm pack', [npm(), 'pack', '--pack-destination', artifacts], root);
  const { name, version } = JSON.parse(read('package.json'));
  return join(artifacts, `${name}-${version}.tgz`);
}

/** npm's own script: beside Node, or where npm says that it runs from. */
function npm() {
  const beside = [join(process.execPath, '../../lib'), join(process.execPath, '..')].map((folder) =>
    join(folder, 'node_modules/npm/bin/npm-cli.js'),
  );
  const found = [process.env.npm_execpath, ...beside].find((path) => path?.endsWith('.js') && existsSync(path));
  if (found === undefined) throw new Error('npm was not found beside Node.');
  return found;
}

function buildApp(folder) {
  run('the build of the guide', [tool('vite'), 'build', '--logLevel', 'warn'], folder);
  return folder;
}

function createProject(name) {
  const folder = join(artifacts, name);
  mkdirSync(folder);
  return folder;
}

function read(file) {
  return readFileSync(join(root, file), 'utf8');
}
