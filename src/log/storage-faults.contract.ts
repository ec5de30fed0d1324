/**
 * Makes the n-th storage operation of a database fail, in Node and in browsers: by patching the prototypes of IndexedDB,
 * so that everything above them is the code that ships.
 */

/** Kinds of faults, by the operation that is counted and hit. */
export const faultKinds = {
  /** The database is closing: no transaction is made. */
  'creation-lost': 'transaction',
  /** The request is never issued. */
  'throws-lost': 'request',
  'throws-other': 'request',
  /** The request is issued and fails, and the transaction with it. */
  'fails-lost': 'request',
  'fails-other': 'request',
  'fails-quota': 'request',
  /** The request never settles, and the transaction never ends by itself. */
  'request-hangs': 'request',
  /** The transaction is aborted in the place of being committed: without a word, or with one. */
  'aborts-silently': 'commit',
  'aborts-lost': 'commit',
  'aborts-quota': 'commit',
  /** It is committed, and whoever waits hears that the connection was lost. */
  'lost-after-commit': 'commit',
  /** It is committed, and whoever waits hears nothing. */
  'commit-untold': 'commit',
  /** It is neither committed nor aborted. */
  'commit-hangs': 'commit',
} as const;

export type FaultKind = keyof typeof faultKinds;

export interface StorageFault {
  readonly kind: FaultKind;
  /** Which operation of its sort is hit, from 1. */
  readonly n: number;
  /** How many in a row; 1 by default. */
  readonly times?: number;
}

export interface InjectedFault {
  /** Operations hit so far. */
  readonly hits: number;
  /** Operations seen so far, hit or not, of the sort that is counted. */
  readonly seen: number;
  remove(): void;
}

export interface FaultyStorage {
  /** One fault at a time for each database. */
  inject(database: string, fault: StorageFault): InjectedFault;
  /** Puts the prototypes back. */
  restore(): void;
}

const requestMethods = {
  IDBObjectStore: ['get', 'getKey', 'getAll', 'getAllKeys', 'put', 'add', 'delete', 'clear', 'count', 'openCursor'],
  IDBIndex: ['get', 'getKey', 'getAll', 'getAllKeys', 'count', 'openCursor'],
  IDBCursor: ['continue', 'advance'],
} as const;

export function patchStorage(): FaultyStorage {
  const hitByDatabase = new Map<string, (sort: string) => FaultKind | undefined>();
  const undo: (() => void)[] = [];
  /** Transactions that nobody will hear of any more. */
  const silenced = new WeakSet<IDBTransaction>();
  /** Transactions with a request that will fail. */
  const doomed = new WeakSet<IDBTransaction>();

  /** `run` is called in the place of the method, with the way to the real one. */
  function patch<This extends object>(
    owner: This,
    method: string,
    run: (target: This, proceed: () => unknown, input: readonly unknown[]) => unknown,
  ): void {
    const real = Reflect.get(owner, method) as (...input: unknown[]) => unknown;
    Reflect.set(owner, method, function (this: This, ...input: unknown[]) {
      return run(this, () => Reflect.apply(real, this, input), input);
    });
    undo.push(() => Reflect.set(owner, method, real));
  }
  const hit = ({ name }: IDBDatabase, sort: string) => hitByDatabase.get(name)?.(sort);

  patch(IDBDatabase.prototype, 'transaction', (database, proceed, [, mode]) => {
    // fake-indexeddb makes those of an upgrade by this method.
    if (mode !== 'versionchange' && hit(database, 'transaction') !== undefined) {
      throw lost('InvalidStateError', 'The database connection is closing');
    }
    return proceed();
  });
  for (const [owner, methods] of Object.entries(requestMethods)) {
    const { prototype } = Reflect.get(globalThis, owner) as { prototype: object };
    for (const method of methods) {
      patch(prototype, method, (target, proceed) => {
        const transaction = transactionOf(target);
        if (transaction.mode === 'versionchange' || silenced.has(transaction) || doomed.has(transaction))
          return proceed();
        const kind = hit(transaction.db, 'request');
        if (kind === 'throws-lost') throw lost('InvalidStateError', 'The database connection is closing');
        if (kind === 'throws-other') throw lost('DataError', 'Failed to write blobs');
        if (kind?.startsWith('fails') === true) return failingRequest(transaction, kind, doomed);
        if (kind === 'request-hangs') silence(transaction);
        return proceed();
      });
    }
  }
  patch(IDBTransaction.prototype, 'commit', (transaction, proceed) => {
    // A request before it is yet to fail, or to hang.
    if (silenced.has(transaction) || doomed.has(transaction)) return undefined;
    const kind = hit(transaction.db, 'commit');
    switch (kind) {
      case 'aborts-silently':
        return transaction.abort();
      case 'aborts-lost':
      case 'aborts-quota':
        setError(transaction, errorOf(kind));
        return transaction.abort();
      case 'commit-hangs':
        silence(transaction);
        return void transaction.objectStore(transaction.objectStoreNames[0] ?? '').count('keep alive');
      case 'lost-after-commit':
      case 'commit-untold': {
        const { onabort } = transaction;
        transaction.oncomplete = () => {
          if (kind === 'commit-untold') return;
          setError(transaction, errorOf(kind));
          onabort?.call(transaction, new Event('abort'));
        };
        return proceed();
      }
      default:
        return proceed();
    }
  });

  /** No event of this transaction reaches anybody, and it does not end before it is aborted. */
  function silence(transaction: IDBTransaction): void {
    silenced.add(transaction);
    const [store = ''] = transaction.objectStoreNames;
    // On the way down from the database to the request.
    transaction.db.addEventListener(
      'success',
      (event) => {
        if ((event.target as IDBRequest).transaction !== transaction) return;
        event.stopImmediatePropagation();
        try {
          transaction.objectStore(store).count('keep alive');
        } catch {
          // Aborted.
        }
      },
      true,
    );
  }

  return {
    inject: (database, { kind, n, times = 1 }) => {
      let seen = 0;
      let hits = 0;
      hitByDatabase.set(database, (sort) => {
        if (sort !== faultKinds[kind]) return undefined;
        seen += 1;
        if (seen < n || seen >= n + times) return undefined;
        hits += 1;
        return kind;
      });
      return {
        get hits() {
          return hits;
        },
        get seen() {
          return seen;
        },
        remove: () => {
          hitByDatabase.delete(database);
        },
      };
    },
    restore: () => {
      for (const each of undo.splice(0)) each();
    },
  };
}

function transactionOf(target: object): IDBTransaction {
  let at = target as { transaction?: IDBTransaction; objectStore?: object; source?: object };
  while (at.transaction === undefined) at = (at.objectStore ?? at.source ?? {}) as typeof at;
  return at.transaction;
}

/** A request that fails after a turn, and takes its transaction with it as the browser would. */
function failingRequest(transaction: IDBTransaction, kind: string, doomed: WeakSet<IDBTransaction>): object {
  const error = errorOf(kind);
  const failing: Pick<IDBRequest, 'onsuccess' | 'onerror'> & { error: DOMException | null; result?: unknown } = {
    onsuccess: null,
    onerror: null,
    error: null,
  };
  // A real one, so that the transaction is alive until then.
  doomed.add(transaction);
  const carrier = transaction.objectStore(transaction.objectStoreNames[0] ?? '').count('none');
  carrier.onsuccess = () => {
    failing.error = error;
    failing.onerror?.call(failing as IDBRequest, new Event('error'));
    setError(transaction, error);
    transaction.abort();
  };
  return failing;
}

function errorOf(kind: string): DOMException {
  if (kind.endsWith('quota'))
    return new DOMException('The current transaction exceeded its quota.', 'QuotaExceededError');
  if (kind.endsWith('other')) return lost('DataError', 'Failed to write blobs');
  return lost('UnknownError', 'Connection to Indexed Database server lost. Refresh the page to try again');
}

function lost(name: string, message: string): DOMException {
  return new DOMException(`${message} (injected)`, name);
}

function setError(transaction: IDBTransaction, error: DOMException): void {
  Object.defineProperty(transaction, 'error', { value: error, configurable: true });
}
