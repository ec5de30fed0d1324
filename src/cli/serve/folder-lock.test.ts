import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
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
    const lock = lockFolder(folder);
    expect(existsSync(join(folder, 'lock'))).toBe(true);
    lock.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is not taken from a process that runs', () => {
    const folder = createFolder(JSON.stringify({ pid: process.ppid }));
    expect(() => lockFolder(folder)).toThrow(
      `is in use by process ${process.ppid}: one server at a time. Stop that one, or name another folder with --dir.`,
    );
  });

  it('is not taken twice by the same process', () => {
    const folder = createFolder();
    const lock = lockFolder(folder);
    expect(() => lockFolder(folder)).toThrow(`is in use by process ${process.pid}`);
    expect(readdirSync(folder)).toEqual(['lock']);
    lock.release();
    lockFolder(folder).release();
  });

  it('is not taken from a container where the process has our number, as long as it is alive', () => {
    const lock = JSON.stringify({ pid: process.pid, startedAt: '1', space: 'of another container' });
    const folder = createFolder(lock);
    expect(() => lockFolder(folder)).toThrow(`is in use by process ${process.pid} of another container`);
    expect(readFileSync(join(folder, 'lock'), 'utf8')).toBe(lock);
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(join(folder, 'lock'), longAgo, longAgo);
    lockFolder(folder).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('shows that its holder is alive', () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const folder = createFolder();
    const lock = lockFolder(folder);
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(join(folder, 'lock'), longAgo, longAgo);
    vi.advanceTimersByTime(5_000);
    expect(statSync(join(folder, 'lock')).mtimeMs).toBeGreaterThan(Date.now() - 5_000);
    lock.release();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is left to who took it while its holder was asleep', () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const folder = createFolder();
    const lock = lockFolder(folder);
    const other = JSON.stringify({ pid: 1, startedAt: '1', space: 'of another container' });
    writeFileSync(join(folder, 'lock'), other);
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(join(folder, 'lock'), longAgo, longAgo);
    vi.advanceTimersByTime(5_000);
    expect(statSync(join(folder, 'lock')).mtimeMs).toBeLessThan(Date.now() - 50_000);
    lock.release();
    expect(readFileSync(join(folder, 'lock'), 'utf8')).toBe(other);
  });

  it('is given back where nobody has it any more', () => {
    const folder = createFolder();
    const lock = lockFolder(folder);
    rmSync(join(folder, 'lock'));
    lock.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is taken from a process that has ended, however it did', () => {
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    for (const left of [JSON.stringify({ pid }), '', '{"pid":', '{"pid":"x"}', 'null']) {
      const folder = createFolder(left);
      const lock = lockFolder(folder);
      expect(lock.wasLeft).toBe(true);
      lock.release(false);
      const again = lockFolder(folder);
      expect(again.wasLeft).toBe(true);
      again.release();
      expect(readdirSync(folder)).toEqual([]);
      expect(lockFolder(folder).wasLeft).toBe(false);
    }
  });

  it.runIf(process.platform === 'linux')('is taken where the number is that of a later process', () => {
    for (const pid of [process.pid, process.ppid]) {
      const folder = createFolder(JSON.stringify({ pid, startedAt: '1' }));
      lockFolder(folder).release();
      expect(readdirSync(folder)).toEqual([]);
    }
  });
});
