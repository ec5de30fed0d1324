import { SyncRefusal } from 'varve/sync';

/**
 * The token for the server at the page's own origin, which hands it out: it is one for trying things, on one machine.
 *
 * Throws a `SyncRefusal`: a build that is served without one says so in the file, or has no such file.
 */
export async function readToken(): Promise<string> {
  const response = await fetch('/sync.json', { cache: 'no-store' }).catch((error: unknown) => {
    throw new SyncRefusal('OFFLINE', `The page's server cannot be reached: ${error}.`);
  });
  const value: unknown = await response.json().catch(() => undefined);
  const token = Object(value).token as unknown;
  if (typeof token === 'string') return token;
  throw new SyncRefusal('NO_SERVER', 'This copy of the ledger has no server to sync with.');
}
