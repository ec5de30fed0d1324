import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const source = dirname(fileURLToPath(import.meta.url));

/** Which folders a folder may know. Type-only imports count: an arrow is about knowledge. */
const arrows: Record<string, readonly string[]> = {
  core: [],
  protocol: ['core'],
  log: ['core', 'protocol'],
  engine: ['core', 'protocol', 'log'],
  client: ['core', 'protocol'],
  react: ['core', 'client'],
  testing: ['core', 'protocol', 'log', 'engine', 'client'],
  'testing/simulation': ['core', 'protocol', 'log', 'engine', 'client', 'sync', 'server', 'testing'],
  server: ['core', 'protocol'],
  sync: ['core', 'protocol'],
  cli: ['core', 'protocol', 'log', 'server'],
  demo: [],
};

/** Which packages a folder may use at run time. */
const packages: Record<string, readonly string[]> = {
  core: ['@standard-schema/spec'],
  protocol: ['@stablelib/sha256'],
  log: ['dexie', 'dexie/dist/modern/dexie.mjs'],
  engine: ['comlink'],
  client: ['comlink', 'zustand/vanilla'],
  react: ['react'],
  testing: ['comlink'],
  server: ['@electric-sql/pglite', 'pg'],
  sync: [],
  cli: [
    '@standard-schema/spec',
    'jiti',
    'node:crypto',
    'node:fs',
    'node:http',
    'node:net',
    'node:path',
    'node:process',
    'node:readline',
    'node:stream',
    'node:stream/promises',
    'node:url',
    'node:util',
    'node:zlib',
  ],
};

/** `core` is pure: clock, chance and the outside world come in through an Env. */
const impure =
  /\b(Date\.now|new Date\(|Math\.random|crypto\.|indexedDB|fetch\(|window\.|self\.|localStorage|performance\.)/;

interface SourceFile {
  readonly path: string;
  readonly folder: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const files: readonly SourceFile[] = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.tsx?$/.test(path) && path.includes('/'))
  .map((path) => {
    const text = readFileSync(join(source, path), 'utf8');
    const code = text.replace(/^\s*(\/?\*|\/\/).*$/gm, '');
    const imports = [...code.matchAll(/\b(?:from |import |import\()'([^']+)'/g)].map((match) => match[1] ?? '');
    return { path, folder: folderOf(path), text: code, imports };
  });

/** The simulation joins what else is kept apart, and is no part of the package: a folder of its own. */
function folderOf(path: string): string {
  return path.startsWith('testing/simulation/') ? 'testing/simulation' : (path.split('/')[0] ?? '');
}

const isTest = ({ path }: SourceFile) => /\.(test|browser\.test|test-d|contract)\.tsx?$|\/fixtures\//.test(path);
const library = files.filter((file) => !isTest(file) && file.folder !== 'demo');

describe('the architecture', () => {
  it('knows every folder', () => {
    expect(new Set(files.map(({ folder }) => folder))).toEqual(new Set(Object.keys(arrows)));
  });

  it.each(Object.keys(arrows))('%s knows only the folders that it may know', (folder) => {
    const foreign = files
      .filter((file) => file.folder === folder && !isTest(file))
      .flatMap(({ path, imports }) =>
        imports
          .filter((name) => name.startsWith('.'))
          .map((name) => folderOf(relative(source, join(source, dirname(path), name))))
          .filter((target) => target !== folder && !arrows[folder]?.includes(target))
          .map((target) => `${path} → ${target}`),
      );
    expect(foreign).toEqual([]);
  });

  it.each(Object.keys(packages))('%s uses only its packages', (folder) => {
    const foreign = library
      .filter((file) => file.folder === folder)
      .flatMap(({ path, imports }) =>
        imports
          .filter((name) => !name.startsWith('.') && !packages[folder]?.includes(name))
          .map((name) => `${path} → ${name}`),
      );
    expect(foreign).toEqual([]);
  });

  it('lets only the demo’s own files and public entries into the demo', () => {
    const foreign = files
      .filter(({ folder }) => folder === 'demo')
      .flatMap(({ path, imports }) =>
        imports.filter((name) => name.startsWith('../') && !join(dirname(path), name).startsWith('demo')),
      );
    expect(foreign).toEqual([]);
  });

  it('imports the file, never another folder’s index', () => {
    const indexes = library.flatMap(({ path, imports }) =>
      imports.filter((name) => name.endsWith('/index.ts')).map((name) => `${path} → ${name}`),
    );
    expect(indexes).toEqual([]);
  });

  it('keeps the core pure', () => {
    const found = library.filter(({ folder, text }) => folder === 'core' && impure.test(text)).map(({ path }) => path);
    expect(found).toEqual([]);
  });

  it('keeps Dexie to the log', () => {
    const users = library
      .filter(({ imports }) => imports.some((name) => name.startsWith('dexie')))
      .map(({ folder }) => folder);
    expect(new Set(users)).toEqual(new Set(['log']));
  });

  it('has no import cycle', () => {
    const byPath = new Map(library.map((file) => [file.path, file]));
    const done = new Set<string>();
    const visit = (path: string, trail: readonly string[]): string | undefined => {
      if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path].join(' → ');
      if (done.has(path)) return undefined;
      for (const name of byPath.get(path)?.imports ?? []) {
        if (!name.startsWith('.')) continue;
        const cycle = visit(join(dirname(path), name), [...trail, path]);
        if (cycle !== undefined) return cycle;
      }
      done.add(path);
      return undefined;
    };
    expect(library.map(({ path }) => visit(path, [])).filter(Boolean)).toEqual([]);
  });

  it('has an entry in the exports map for every public folder, and no other', () => {
    const manifest = JSON.parse(readFileSync(join(source, '../package.json'), 'utf8'));
    const targets = Object.values(manifest.exports as Record<string, string | Record<string, string>>)
      .map((target) => (typeof target === 'string' ? target : (target['varve-source'] ?? '')))
      .filter((target) => target.startsWith('./src/'));
    const indexes = files.filter(({ path }) => /^[a-z]+\/index\.ts$/.test(path)).map(({ path }) => `./src/${path}`);
    expect(new Set(targets)).toEqual(new Set(indexes));
  });
});
