import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';
import { root } from '../installed.mjs';

/**
 * Bundles the simulation into one file, with a fault planted in the sources where one is given.
 *
 * One file also because what is imported when it is needed is then there at once: nothing waits for the disk, and the
 * same seed gives the same run.
 *
 * @returns its path.
 */
export async function bundleSimulation(outDir, fault) {
  await build({
    configFile: false,
    root,
    logLevel: 'error',
    resolve: { conditions: ['varve-source', 'module', 'node'] },
    ssr: { noExternal: true },
    plugins: fault === undefined ? [] : [plantFault(fault)],
    build: {
      ssr: join(root, 'src/testing/simulation/simulate.ts'),
      outDir,
      emptyOutDir: true,
      minify: false,
      target: 'node20',
      rollupOptions: { output: { entryFileNames: 'simulate.mjs', codeSplitting: false } },
    },
  });
  return join(outDir, 'simulate.mjs');
}

/** Throws where the text is not there exactly once: the sources moved on, and the fault has to follow them. */
export function plantFault({ name, changes }) {
  const texts = new Map();
  for (const { file, find, replace } of changes) {
    const path = join(root, file);
    const text = texts.get(path) ?? readFileSync(path, 'utf8');
    const found = text.split(find).length - 1;
    if (found !== 1) throw new Error(`The fault "${name}" finds its place ${found} times in ${file}: ${find}`);
    texts.set(
      path,
      text.replace(find, () => replace),
    );
  }
  const planted = new Set();
  return {
    name: 'plant-fault',
    load: (id) => {
      if (texts.has(id)) planted.add(id);
      return texts.get(id);
    },
    buildEnd: (error) => {
      const left = [...texts.keys()].filter((path) => !planted.has(path));
      if (error === undefined && left.length > 0) {
        throw new Error(`The fault "${name}" is in ${left.join(', ')}, which the simulation does not run.`);
      }
    },
  };
}
