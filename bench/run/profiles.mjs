import {
  closeSync,
  cpSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Folders of this run, in the system's temporary folder; all gone when the process ends. */
export function createProfiles() {
  const folder = mkdtempSync(join(tmpdir(), 'varve-bench-'));
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  process.on('exit', remove);
  let count = 0;
  const next = () => join(folder, `profile-${++count}`);
  const files = join(folder, 'files');
  mkdirSync(files);
  return {
    files,
    /** An empty profile: the browser fills it. */
    fresh: next,
    copy: (profile) => {
      const copied = next();
      cpSync(profile, copied, { recursive: true });
      // Before anything is measured: a strict write would wait for the copy to reach the disk.
      for (const file of filesOf(copied)) syncFile(file);
      return copied;
    },
    remove: (profile) => rmSync(profile, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** What a profile's IndexedDB takes on disk, in bytes. Only after its browser is gone. */
export function indexedDbBytes(profile) {
  return filesOf(join(profile, 'Default/IndexedDB')).reduce((sum, file) => sum + statSync(file).size, 0);
}

function filesOf(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function syncFile(file) {
  const descriptor = openSync(file, 'r+');
  fsyncSync(descriptor);
  closeSync(descriptor);
}

/** Waits until no process holds a profile: Playwright's `close` returns a little before the browser is gone. */
export async function untilUnused(profile) {
  const deadline = performance.now() + 20_000;
  while (isUsed(profile)) {
    if (performance.now() > deadline) throw new Error(`The browser of ${profile} did not end within 20 s.`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function isUsed(profile) {
  // Elsewhere there is no such list of processes; the browser's own lock then says it.
  if (!existsSync('/proc/self/cmdline')) return existsSync(join(profile, 'SingletonLock'));
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .some((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(`--user-data-dir=${profile}`);
      } catch {
        // It ended while we looked.
        return false;
      }
    });
}
