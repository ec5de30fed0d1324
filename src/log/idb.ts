/**
 * IndexedDB with promises, exactly as far as the log needs it, over the native handle that Dexie opens.
 *
 * Dexie's own transactions cost a multiple of the browser's on the path of every command; and its promises settle with
 * requests, where only the transaction's own end tells whether something was stored.
 */

/** Settles with the request. Says nothing about whether the transaction will commit. */
export function requestResult<Result>(request: IDBRequest<Result>): Promise<Result> {
  const result = new Promise<Result>((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () =>
      reject(request.error ?? new DOMException('The request failed without an error', 'UnknownError'));
  });
  // Where the next request throws, nobody is left to wait for this one: the transaction tells what went wrong.
  result.catch(() => undefined);
  return result;
}

const defaultHangMs = 5_000;

/** Nothing was heard of a transaction for too long. Under a name that counts as a lost connection: a fresh one is the cure. */
export class HangError extends DOMException {
  /** Whether any request of it had settled; else it may have waited for its turn all the time, and nothing of it was done. */
  readonly hasBegun: boolean;

  constructor(hangMs: number, hasBegun: boolean) {
    super(`The storage did not answer for ${hangMs / 1000} s: the transaction hung`, 'UnknownError');
    this.hasBegun = hasBegun;
  }
}

export interface TransactionOptions {
  readonly durability: IDBTransactionDurability;
  /** How long the transaction may stand still before it counts as hung; 5,000 by default. */
  readonly hangMs?: number | undefined;
}

/**
 * Runs `work` in a transaction and settles with the transaction: on `complete`, never on a request; rejects on `abort`,
 * which is the only event that a failing commit (full disk) fires. Where it only reads, it settles with `work`.
 *
 * `work` must issue its first request at once (Safari 14 closes a transaction that waits a microtask) and await nothing
 * but requests of this transaction. Whatever it throws aborts everything.
 *
 * Where for `hangMs` neither a request settles nor the transaction ends, it is aborted and rejects like a lost
 * connection: whether it was committed is unknown. However long the whole takes, a transaction that goes on is not hung.
 */
export function inTransaction<Result>(
  database: IDBDatabase,
  stores: readonly string[],
  mode: IDBTransactionMode,
  { durability, hangMs = defaultHangMs }: TransactionOptions,
  work: (transaction: IDBTransaction) => Promise<Result>,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction([...stores], mode, { durability });
    let outcome: { readonly value: Result } | undefined;
    let thrown: { readonly error: unknown } | undefined;
    const stopWatching = watchProgress(transaction, hangMs, (hasBegun) => {
      try {
        transaction.abort();
      } catch {
        // It is committing, or gone: the same to us, for nobody will ever tell.
      }
      reject(new HangError(hangMs, hasBegun));
    });
    transaction.oncomplete = () => {
      stopWatching();
      if (outcome !== undefined) resolve(outcome.value);
      else reject(new Error(leftEarly, { cause: thrown?.error }));
    };
    transaction.onabort = () => {
      stopWatching();
      // What the transaction died of first: `work` may only have seen a later request fail because of it.
      reject(transaction.error ?? thrown?.error ?? new DOMException('The transaction was aborted', 'AbortError'));
    };
    work(transaction).then(
      (value) => {
        outcome = { value };
        // What was read is read: to wait for the end would only delay the next transaction. It is watched to its end all
        // the same, for a reader that never ends keeps every writer waiting.
        if (mode === 'readonly') resolve(value);
        // Without it the browser waits a turn to see whether more requests come.
        try {
          transaction.commit();
        } catch {
          // It ended before: `onabort` has the reason, and `oncomplete` must not take it for a success.
          outcome = undefined;
        }
      },
      (error: unknown) => {
        thrown = { error };
        try {
          transaction.abort();
        } catch {
          // Ended already: `onabort` or `oncomplete` has fired or will, or the watchdog does.
        }
      },
    );
  });
}

/** Calls `onHang` once where nothing happens in a transaction for `hangMs`. @returns a function that ends the watch. */
function watchProgress(transaction: IDBTransaction, hangMs: number, onHang: (hasBegun: boolean) => void): () => void {
  let hasBegun = false;
  let idleTicks = 0;
  let timer: ReturnType<typeof setTimeout>;
  // Two ticks: when a page thaws or a long task ends, the first may come before the events that have waited with it.
  const tick = () => {
    idleTicks += 1;
    if (idleTicks > 2) onHang(hasBegun);
    else timer = setTimeout(tick, hangMs / 2);
  };
  const onProgress = () => {
    hasBegun = true;
    idleTicks = 0;
  };
  // Captured on their way down to the request: success events do not bubble.
  transaction.addEventListener('success', onProgress, true);
  transaction.addEventListener('error', onProgress, true);
  tick();
  return () => clearTimeout(timer);
}

const leftEarly =
  'A storage transaction ended before its work was done: something other than the transaction was awaited inside it. ' +
  'What the work had requested until then was stored, what came after was not. Await nothing but the transaction.';
