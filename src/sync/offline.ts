import { SyncRefusal } from './transport.ts';

/**
 * What a `fetch`, or the body that it brings, fails with in Chromium and Firefox, in WebKit new and old, and in Node: the
 * error has no code.
 */
const noNetwork = /failed to fetch|network ?error|load failed|(network|internet) connection|fetch failed|^terminated$/i;

/** Whether what the app's own code threw means that there was no network. */
export function isOffline(error: unknown): boolean {
  if (typeof navigator !== 'undefined' && navigator.onLine === false) return true;
  return error instanceof TypeError && noNetwork.test(error.message);
}

/** `who` could not be asked. */
export function offline(who: string, error: unknown): SyncRefusal {
  return new SyncRefusal('OFFLINE', `${who} cannot be reached: ${toClause(error)}.`);
}

/** What was thrown, as the end of a sentence: some texts bring a dot of their own. */
export function toClause(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
}
