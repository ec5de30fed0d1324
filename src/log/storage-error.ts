import { FailureError, type StorageFailure } from '../core/errors.ts';

/** What a browser's storage error means, whichever of its many names it came under. */
export type StorageErrorKind = 'quota' | 'connection-lost' | 'unavailable' | 'outdated' | 'other';

/**
 * Sorts an error by its names and message, through everything that wraps it.
 *
 * Dexie reports a full disk as `AbortError` with an inner `QuotaExceededError`. WebKit reports a dead storage process as
 * `UnknownError: Connection to Indexed Database server lost`, or as a request "without an in-progress transaction" when
 * the phone was locked in the middle; every browser reports a closing connection as `InvalidStateError`.
 */
export function classifyStorageError(error: unknown): StorageErrorKind {
  const chain = errorChain(error);
  const has = (pattern: RegExp) => chain.some(({ name, message }) => pattern.test(`${name}: ${message}`));
  if (has(/QuotaExceeded|full disk/i)) return 'quota';
  if (has(/connection to indexed database server lost|in-progress transaction|connection is clos|^DatabaseClosed/i)) {
    return 'connection-lost';
  }
  if (has(/^VersionError/)) return 'outdated';
  if (has(/MissingAPI|OpenFailed|^SecurityError|backing store|mutation operation|^OpenTimeout/i)) return 'unavailable';
  if (has(/^InvalidStateError|^UnknownError|^TransactionInactive/)) return 'connection-lost';
  return 'other';
}

/** The same as plain data, with a text that says what to do; a failure that is already one stays as it is. */
export function toStorageFailure(error: unknown, database: string): StorageFailure {
  if (error instanceof FailureError && error.failure.type.startsWith('storage.'))
    return error.failure as StorageFailure;
  const detail = errorChain(error)
    .map(({ name, message }) => `${name}: ${message}`)
    .join(' <- ');
  switch (classifyStorageError(error)) {
    case 'quota':
      return {
        type: 'storage.quota-exceeded',
        text: `There is no room left for the database "${database}": the device is full, or the browser's share for this site is used up. Nothing was saved. Free space on the device, then try again.`,
        detail,
      };
    case 'unavailable':
      return {
        type: 'storage.unavailable',
        text: `The database "${database}" cannot be opened. Private windows and strict privacy settings forbid it; a full or damaged disk prevents it. Nothing is saved on this device until it opens: allow site data, or restart the browser.`,
        detail,
      };
    case 'outdated':
      return outdated(database, detail);
    case 'connection-lost':
      return {
        type: 'storage.failed',
        text: `The browser lost its connection to the database "${database}" and could not restore it. Whether this command was saved is not known: sending it again with the same id stores it once. Reload the page.`,
        detail,
      };
    case 'other':
      return {
        type: 'storage.failed',
        text: `The database "${database}" refused to store or to read. Nothing of this command was saved. Try again; if it stays so, reload the page.`,
        detail,
      };
  }
}

export function outdated(database: string, detail?: string): StorageFailure {
  return {
    type: 'storage.outdated',
    text: `The database "${database}" was upgraded by a newer version of the app, in another tab or an earlier visit. This version no longer writes to it. Reload the page to get the new version.`,
    ...(detail === undefined ? {} : { detail }),
  };
}

export function reset(database: string): StorageFailure {
  return {
    type: 'storage.reset',
    text: `The events of "${database}" that this device held are gone: site data was cleared, or the browser evicted it. Nothing is written until you choose: start over with an empty log, and then restore a backup if you have one.`,
  };
}

export function anotherLog(database: string, found: string, wanted: string): StorageFailure {
  return {
    type: 'storage.failed',
    text: `The database "${database}" holds the log "${found}", and "${wanted}" was asked for. Nothing was changed: open the other log under another name, or delete this database first.`,
  };
}

export function replaced(database: string): StorageFailure {
  return {
    type: 'storage.replaced',
    text: `The events of "${database}" were replaced by an import, in this tab or another. Nothing of this command was saved. The app opens the imported events; try again then.`,
  };
}

export function shortened(database: string, head: number, remembered: number): StorageFailure {
  return {
    type: 'storage.reset',
    text: `The last events of "${database}" are gone: this device held ${remembered}, and ${head} are left. A disk lost what was written last, or an older copy of the browser's files was put back. Nothing is written until you choose: go on with what is left, and then restore a backup if you have one.`,
  };
}

/** Every segment between the first event and the last one is kept: one that cannot be found was lost. */
export function missing(position: number, head: number): StorageFailure {
  return {
    type: 'storage.damaged',
    text: `The log is damaged: of its ${head} events, those around position ${position} cannot be found. ${afterDamage}`,
  };
}

export function unreadable(first: number, last: number): StorageFailure {
  return {
    type: 'storage.damaged',
    text: `The log is damaged: the events from position ${first} to ${last} cannot be read. ${afterDamage}`,
  };
}

const afterDamage =
  'The disk is damaged, or something other than this app changed the database. What came before is intact, what came after is not shown. Restore a backup.';

function errorChain(error: unknown): { readonly name: string; readonly message: string }[] {
  const chain: { name: string; message: string }[] = [];
  let current: unknown = error;
  while (typeof current === 'object' && current !== null && chain.length < 8) {
    const { name, message, inner, cause } = current as Record<string, unknown>;
    chain.push({ name: String(name ?? 'Error'), message: String(message ?? '') });
    current = inner ?? cause;
  }
  // Browsers abort with a null error now and then: still an error, only a nameless one.
  return chain.length > 0 ? chain : [{ name: 'Error', message: String(error) }];
}
