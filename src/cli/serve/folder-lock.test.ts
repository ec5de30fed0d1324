import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { lockFolder } from './folder-lock.ts';

const artifacts = fileURLToPath(new URL('../../../.artifacts', import.meta.url));
mkdirSync(artifacts, { recursive: true });
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function createFolder(lock?: string): string {
  const folder = mkdtempSync(join(artifacts, 'lock-'));
  folders.push(folder);
  if (lock !== undefined) writeFileSync(join(folder, 'lock'), lock);
  return folder;
}

describe('a folder', () => {
  it('is taken, and given back', () => {
    const folder = createFolder();
    const unlock = lockFolder(folder);
    expect(existsSync(join(folder, 'lock'))).toBe(true);
    unlock();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is not taken from a process that runs', () => {
    const folder = createFolder(JSON.stringify({ pid: process.ppid }));
    expect(() => lockFolder(folder)).toThrow(
      `is in use by process ${process.ppid}: one server at a time. Stop that one, or name another folder with --dir.`,
    );
  });

  it('is taken from a process that has ended, however it did', () => {
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    for (const left of [JSON.stringify({ pid }), '', '{"pid":', '{"pid":"x"}', JSON.stringify({ pid: process.pid })]) {
      const folder = createFolder(left);
      lockFolder(folder)();
      expect(readdirSync(folder)).toEqual([]);
    }
  });

  it.runIf(process.platform === 'linux')('is taken where the number is that of a later process', () => {
    const folder = createFolder(JSON.stringify({ pid: process.ppid, startedAt: '1' }));
    lockFolder(folder)();
    expect(readdirSync(folder)).toEqual([]);
  });
});
