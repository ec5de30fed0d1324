import { FailureError, type StorageFailure } from '../core/errors.ts';
import { type Database, openDatabase } from './database.ts';
import type { LogClosedListener } from './event-log.ts';
import { HangError } from './idb.ts';
import { classifyStorageError, toStorageFailure } from './storage-error.ts';

/** How often work is tried on a fresh connection after the browser lost the old one. */
const maxAttempts = 3;

/** How often besides where it has only waited: sync may be putting a long history into another order, for up to a minute. */
const maxWaits = 9;

/** One database, opened when it is needed, and again where the browser loses the connection to it. */
export interface LiveDatabase {
  /**
   * Runs on a live connection; one that the browser lost is opened anew and the work run again. What the work throws
   * is passed on, what IndexedDB throws comes as a `FailureError`.
   */
  run<Result>(work: (handle: IDBDatabase) => Promise<Result>): Promise<Result>;
  readonly isClosed: boolean;
  /** Later work rejects; what is under way is finished. */
  close(): void;
}

/** `onClosed` is told once where it ends for good without `close`: another version took over, say. */
export function createLiveDatabase({
  name,
  openTimeoutMs,
  onClosed,
}: {
  readonly name: string;
  readonly openTimeoutMs: number;
  readonly onClosed: LogClosedListener | undefined;
}): LiveDatabase {
  let opened: Promise<Database> | undefined;
  let closedFor: StorageFailure | undefined;

  const onDatabaseClosed = (failure?: StorageFailure) => {
    opened = undefined;
    if (failure === undefined || closedFor !== undefined) return;
    closedFor = failure;
    onClosed?.(failure);
  };
  const open = (): Promise<Database> => {
    if (closedFor !== undefined) return Promise.reject(new FailureError(closedFor));
    opened ??= openDatabase(name, openTimeoutMs, onDatabaseClosed).catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };
  const letGo = async () => {
    const lost = opened;
    opened = undefined;
    await lost?.then((database) => database.close()).catch(() => undefined);
  };

  return {
    run: async (work) => {
      let [attempts, waits] = [0, 0];
      for (;;) {
        try {
          return await work((await open()).handle);
        } catch (error) {
          // What the work threw, a failure or a bug, is passed on; what IndexedDB throws is always a DOMException.
          if (!(error instanceof DOMException)) throw error;
          if (error instanceof HangError && !error.hasBegun && waits < maxWaits) waits += 1;
          else attempts += 1;
          if (classifyStorageError(error) !== 'connection-lost' || attempts === maxAttempts) {
            throw new FailureError(toStorageFailure(error, name), { cause: error });
          }
          // Whether the lost transaction was committed is unknown: `work` looks its command id up when it runs again.
          await letGo();
        }
      }
    },
    get isClosed() {
      return closedFor !== undefined;
    },
    close: () => {
      closedFor ??= { type: 'storage.failed', text: `The database "${name}" was closed by the app.` };
      void letGo();
    },
  };
}
