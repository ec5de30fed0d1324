/**
 * IndexedDB with promises, exactly as far as the log needs it, over the native handle that Dexie opens.
 *
 * Dexie's own transactions cost a multiple of the browser's on the path of every command; and its promises settle with
 * requests, where only the transaction's own end tells whether something was stored.
 */

/** Settles with the request. Says nothing about whether the transaction will commit. */
export function requestResult<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () =>
      reject(request.error ?? new DOMException('The request failed without an error', 'UnknownError'));
  });
}

/**
 * Runs `work` in a transaction and settles with the transaction: on `complete`, never on a request; rejects on `abort`,
 * which is the only event that a failing commit (full disk) fires.
 *
 * `work` must issue its first request at once (Safari 14 closes a transaction that waits a microtask) and await nothing
 * but requests of this transaction. Whatever it throws aborts everything.
 */
export function inTransaction<Result>(
  database: IDBDatabase,
  stores: readonly string[],
  mode: IDBTransactionMode,
  durability: IDBTransactionDurability,
  work: (transaction: IDBTransaction) => Promise<Result>,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction([...stores], mode, { durability });
    let outcome: { readonly value: Result } | undefined;
    let thrown: { readonly error: unknown } | undefined;
    transaction.oncomplete = () => {
      if (outcome !== undefined) resolve(outcome.value);
      else reject(thrown?.error ?? new Error(leftEarly));
    };
    transaction.onabort = () => {
      reject(thrown?.error ?? transaction.error ?? new DOMException('The transaction was aborted', 'AbortError'));
    };
    work(transaction).then(
      (value) => {
        outcome = { value };
        // Without it the browser waits a turn to see whether more requests come. Throws where it has ended already.
        try {
          transaction.commit();
        } catch {
          reject(new Error(leftEarly));
        }
      },
      (error: unknown) => {
        thrown = { error };
        try {
          transaction.abort();
        } catch {
          // Aborted already by the failing request; `onabort` has fired or will.
          reject(error);
        }
      },
    );
  });
}

const leftEarly =
  'A storage transaction ended before its work was done: something other than the transaction was awaited inside it.';
