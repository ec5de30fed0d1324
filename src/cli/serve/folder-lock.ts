import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

/** What the lock file says of who holds it. */
interface Holder {
  readonly pid: number;
  /** When that process began, where the system tells: numbers of processes are used again. */
  readonly startedAt?: string;
}

/**
 * Takes a folder for this process, until the returned function is called or the process ends in whatever way.
 *
 * Throws where another process has it.
 */
export function lockFolder(folder: string): () => void {
  const path = join(folder, 'lock');
  for (let attempt = 0; attempt < 10; attempt += 1) {
    if (tryLock(path)) return () => rmSync(path, { force: true });
    const found = readHolder(path);
    if (found !== undefined && isRunning(found)) {
      throw new Error(
        `The folder ${folder} is in use by process ${found.pid}: one server at a time. ` +
          `Stop that one, or name another folder with --dir. If it is no server of yours, delete ${path}.`,
      );
    }
    putAside(path, found);
  }
  throw new Error(`The folder ${folder} cannot be locked: others are taking it at the same time. Try again.`);
}

function tryLock(path: string): boolean {
  try {
    const file = openSync(path, 'wx');
    const startedAt = startOf(process.pid);
    writeSync(file, JSON.stringify({ pid: process.pid, ...(startedAt === undefined ? {} : { startedAt }) }));
    closeSync(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readHolder(path: string): Holder | undefined {
  try {
    const { pid, startedAt } = JSON.parse(readFileSync(path, 'utf8')) as Partial<Holder>;
    return typeof pid === 'number' ? { pid, ...(startedAt === undefined ? {} : { startedAt }) } : undefined;
  } catch {
    // Gone meanwhile, or its process died while it wrote.
    return undefined;
  }
}

function isRunning({ pid, startedAt }: Holder): boolean {
  // In a container every server may have the same number: this one holds no lock yet.
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  const now = startOf(pid);
  return startedAt === undefined || now === undefined || now === startedAt;
}

/** By renaming, which one process does: if it was meanwhile taken by another, that one gets it back. */
function putAside(path: string, stale: Holder | undefined): void {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  const taken = readHolder(aside);
  if (taken !== undefined && taken.pid !== stale?.pid && !existsSync(path)) renameSync(aside, path);
  else rmSync(aside, { force: true });
}

/** The 22nd field of Linux's record of a process; its second, in brackets, may hold anything. */
function startOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
