// Compiles the code blocks of the README that start with a file name, as a user's project would.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, tool } from './installed.mjs';

const folder = join(root, '.artifacts/readme');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const blocks = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/```tsx?\n\/\/ (\S+)\n([\s\S]*?)```/g)];
if (blocks.length < 3) throw new Error(`Only ${blocks.length} blocks of the README name a file.`);
for (const [, file, code] of blocks) writeFileSync(join(folder, file), code);
writeFileSync(
  join(folder, 'tsconfig.json'),
  JSON.stringify({ extends: '../../tsconfig.json', include: ['.'], exclude: [] }),
);
process.exit(spawnSync(process.execPath, [tool('tsc'), '-p', folder], { stdio: 'inherit' }).status ?? 1);
