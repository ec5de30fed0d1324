import { SyncRefusal } from 'varve/sync';

/**
 * The token for the server at the page's own origin, which hands it out: it is one for trying things, on one machine.
 *
 * Throws a `SyncRefusal`: a build that is served without one says so in the file, or has no such file.
 */
export async function readToken(): Promise<string> {
  const response = await fetch('/sync.json', { cache: 'no-store' }).catch((error: unknown) => {
    const why = error instanceof Error ? error.message.replace(/\.$/, '') : error;
    throw new SyncRefusal('OFFLINE', `The page's server cannot be reached: ${why}.`);
  });
  // That one is there, and ill: no word of whether there is one to sync with.
  if (response.status >= 500) {
    throw new SyncRefusal('UNAVAILABLE', `The page's server answered with status ${response.status}.`);
  }
  const value: unknown = await response.json().catch(() => undefined);
  const token = Object(value).token as unknown;
  if (typeof token === 'string') return token;
  throw new SyncRefusal('NO_SERVER', 'This copy of the ledger has no server to sync with.');
}
