import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, cpus, platform, totalmem } from 'node:os';
import { join } from 'node:path';
import { findChromium } from '../../scripts/chromium.mjs';
import { root } from '../../scripts/installed.mjs';

/** What the numbers were made on and with, by name. */
export function describeMachine() {
  const list = cpus();
  const version = (name) => JSON.parse(readFileSync(join(root, `node_modules/${name}/package.json`), 'utf8')).version;
  return {
    machine: `${list.length} × ${list[0]?.model.trim() ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${platform()} ${arch()}`,
    browser: spawnSync(findChromium(), ['--version', '--no-sandbox'], { encoding: 'utf8' }).stdout.trim(),
    versions: `Node ${process.versions.node}, React ${version('react')}, Dexie ${version('dexie')}`,
    date: new Date().toISOString().slice(0, 10),
  };
}
