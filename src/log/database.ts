/// <reference path="./dexie.d.ts" />
import { Dexie } from 'dexie/dist/modern/dexie.mjs';
import { FailureError, type StorageFailure } from '../core/errors.ts';
import { outdated, reset, toStorageFailure } from './storage-error.ts';

/** An open connection. `handle` is asked for anew by every transaction: it may be closed under us at any time. */
export interface Database {
  readonly handle: IDBDatabase;
  close(): void;
}

/**
 * Opens the database and creates its stores where it is new.
 *
 * `onClosed` is told when the browser or another tab closes the connection: with the failure where it must stay closed
 * (an upgrade, a deletion), with none where opening again may help.
 *
 * Throws `FailureError`: `storage.unavailable`, also where the browser does not answer within `timeoutMs` (Safari 14
 * never answers its first open), and `storage.outdated`.
 */
export async function openDatabase(
  name: string,
  timeoutMs: number,
  onClosed: (failure?: StorageFailure) => void,
): Promise<Database> {
  // Dexie would open by itself on first use, silently, an empty database in the place of one that was cleared.
  const dexie = new Dexie(name, { autoOpen: false });
  // Generic stores: a change of an app's own events or projections never needs an upgrade here.
  dexie.version(2).stores({
    meta: '',
    segments: '',
    index: '',
    snapshots: '',
    // What sync keeps beside the log, under `[kind, id]`: notes of what is pending, refusals, orphans.
    pending: '',
    // Of format 1: emptied when it is converted.
    commits: 'last, commandId, *streams',
    streams: '',
  });
  let open = true;
  const closeOnce = (failure?: StorageFailure) => {
    if (!open) return;
    open = false;
    dexie.close({ disableAutoOpen: true });
    onClosed(failure);
  };
  dexie.on('versionchange', (event) => {
    // Also one that opened when its time was up: nobody else would close it, and it would be in the way of the other.
    (event.target as IDBDatabase | null)?.close();
    closeOnce(event.newVersion === null ? reset(name) : outdated(name));
    // Dexie's own handler would close and allow itself to open again.
    return false;
  });
  let blocked = false;
  dexie.on('blocked', () => {
    blocked = true;
  });
  let watchdog: ReturnType<typeof setTimeout> | undefined;
  try {
    await Promise.race([
      dexie.open(),
      new Promise<never>((_resolve, fail) => {
        watchdog = setTimeout(() => fail(openTimeout(name, timeoutMs, blocked)), timeoutMs);
      }),
    ]);
  } catch (error) {
    open = false;
    dexie.close({ disableAutoOpen: true });
    throw new FailureError(toStorageFailure(error, name), { cause: error });
  } finally {
    clearTimeout(watchdog);
  }
  const handle = dexie.backendDB();
  // Fired when site data is cleared, the backing store breaks or the storage process dies; never by our own close.
  handle.addEventListener('close', () => closeOnce());
  return {
    handle,
    close: () => {
      open = false;
      dexie.close({ disableAutoOpen: true });
    },
  };
}

/** Whether there is a database of this name, in whatever state. Makes none. */
export async function isStored(name: string): Promise<boolean> {
  return (await indexedDB.databases()).some((database) => database.name === name);
}

function openTimeout(name: string, timeoutMs: number, blocked: boolean): FailureError {
  const cause = blocked
    ? 'Another tab still holds an older version of it open: close the other tabs of this app.'
    : 'The browser did not answer: close other tabs of this app, or restart the browser.';
  return new FailureError({
    type: 'storage.unavailable',
    text: `The database "${name}" did not open within ${timeoutMs / 1000} s. ${cause}`,
    detail: blocked ? 'blocked' : 'timeout',
  });
}
