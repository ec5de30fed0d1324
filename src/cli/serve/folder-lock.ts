import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, readlinkSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

/** What the lock file says of who holds it. */
interface Holder {
  readonly pid: number;
  /** When that process began, where the system tells: numbers of processes are used again. */
  readonly startedAt?: string;
  /** Among which processes the number is one, where the system tells: every container may have a process 1. */
  readonly space?: string;
}

export interface FolderLock {
  /** Whether somebody had it before and never gave it back: that process, or its machine, stopped in the middle. */
  readonly wasLeft: boolean;
  /** `isSettled` is false where what a lock that was left stands for is not dealt with: then it is left again. */
  release(isSettled?: boolean): void;
}

/**
 * Takes a folder for this process, until it is released or the process ends in whatever way.
 *
 * Throws where another process has it. That holds on one machine: containers that share the folder are told apart there,
 * machines that share it are not.
 */
export function lockFolder(folder: string): FolderLock {
  const path = join(folder, 'lock');
  const text = JSON.stringify({ pid: process.pid, startedAt: startOf(process.pid), space: ownSpace() });
  let wasLeft = false;
  for (let attempt = 0; attempt < 10; attempt += 1) {
    if (tryLock(path, text)) return { wasLeft, release: hold(path, text) };
    const found = readLock(path);
    if (found === undefined) continue;
    if (found.holder !== undefined && isHeld(found.holder, found.changedAt)) {
      throw new Error(
        `The folder ${folder} is in use by process ${describe(found.holder)}: one server at a time. ` +
          `Stop that one, or name another folder with --dir. If it is no server of yours, delete ${path}.`,
      );
    }
    wasLeft = true;
    putAside(path, found.text);
  }
  throw new Error(`The folder ${folder} cannot be locked: others are taking it at the same time. Try again.`);
}

/** Written aside first: nobody ever finds a lock that does not say yet whose it is. */
function tryLock(path: string, text: string): boolean {
  const aside = `${path}.${randomUUID()}`;
  try {
    writeFileSync(aside, text, { flag: 'wx' });
    linkSync(aside, path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    if (code === undefined || !withoutLinks.has(code)) throw error;
    return tryWrite(path, text);
  } finally {
    rmSync(aside, { force: true });
  }
}

/** What a file system says that has no links. */
const withoutLinks: ReadonlySet<string> = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EACCES']);

function tryWrite(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** A holder in another container cannot be looked up: the time of its file says that it is there. */
const [beatMs, silentMs] = [5_000, 30_000];

function hold(path: string, text: string): FolderLock['release'] {
  // Another one has it where this process was asleep for longer than that, as a machine or a container may be.
  const isOwn = () => readLock(path)?.text === text;
  const beat = setInterval(() => {
    try {
      if (isOwn()) utimesSync(path, new Date(), new Date());
    } catch {
      // Somebody deleted it, as the error tells them to.
    }
  }, beatMs);
  beat.unref();
  return (isSettled = true) => {
    clearInterval(beat);
    if (!isOwn()) return;
    if (isSettled) rmSync(path, { force: true });
    else writeFileSync(path, '');
  };
}

/** Undefined where it is gone meanwhile; without a holder where it does not say whose it is. */
function readLock(path: string): { text: string; changedAt: number; holder: Holder | undefined } | undefined {
  try {
    const text = readFileSync(path, 'utf8');
    return { text, changedAt: statSync(path).mtimeMs, holder: parseHolder(text) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function parseHolder(text: string): Holder | undefined {
  try {
    const holder = JSON.parse(text) as Holder;
    return typeof holder.pid === 'number' ? holder : undefined;
  } catch {
    // The machine stopped before it was on the device.
    return undefined;
  }
}

function isHeld(holder: Holder, changedAt: number): boolean {
  const { pid, startedAt } = holder;
  if (isElsewhere(holder)) return Math.abs(Date.now() - changedAt) < silentMs;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  const now = startOf(pid);
  return startedAt === undefined || now === undefined || now === startedAt;
}

function isElsewhere({ space }: Holder): boolean {
  return space !== undefined && space !== ownSpace();
}

function describe(holder: Holder): string {
  if (!isElsewhere(holder)) return `${holder.pid}`;
  return `${holder.pid} of another container, or was within the last ${silentMs / 1_000} seconds`;
}

/** By renaming, which one process does: if it was meanwhile taken by another, that one gets it back. */
function putAside(path: string, stale: string): void {
  const aside = `${path}.${randomUUID()}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  try {
    if (readFileSync(aside, 'utf8') !== stale) linkSync(aside, path);
  } catch {
    // A third one has taken it since.
  }
  rmSync(aside, { force: true });
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

/** Of Linux, and of this start of the machine: another start has no process that could hold anything. */
function ownSpace(): string | undefined {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return undefined;
  }
}
