// Checks the package as it would be published: what publint finds, and that every entry is there and loads on a server.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { root } from './installed.mjs';

const { messages, pkg } = await publint({ pkgDir: root, level: 'warning', strict: true });
const problems = messages.map((message) => formatMessage(message, pkg) ?? message.code);

for (const [entry, target] of Object.entries(pkg.exports)) {
  if (typeof target === 'string') continue;
  for (const condition of ['types', 'default']) {
    if (!existsSync(join(root, target[condition]))) problems.push(`${entry}: ${target[condition]} was not built`);
  }
  try {
    // On a server there is no window, no worker and no IndexedDB: importing must touch none of them.
    await import(pathToFileURL(join(root, target.default)).href);
  } catch (error) {
    problems.push(`${entry}: does not load in Node: ${error.message}`);
  }
}
for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);
