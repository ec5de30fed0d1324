import type { Client } from 'varve/client';

const ownLogKey = 'ledger:own-log';

/** The ledger that a shared link names; undefined for this device's own, whose link may come back to it. */
export function readSharedLog(): string | undefined {
  const log = new URLSearchParams(location.search).get('log') ?? '';
  const isOwn = withStorage((storage) => storage.getItem(ownLogKey)) === log;
  return isOwn || !/^[0-9a-f]{32}$/.test(log) ? undefined : log;
}

/** Notes the id of this device's own ledger, for `readSharedLog` of later visits. */
export function rememberOwnLog({ status }: Client): void {
  let noted: string | undefined;
  // An import puts another log in its place.
  status.subscribe(({ logId }) => {
    if (logId === undefined || logId === noted) return;
    noted = logId;
    withStorage((storage) => storage.setItem(ownLogKey, logId));
  });
}

export function toShareLink(logId: string): string {
  return `${location.origin}${location.pathname}?log=${logId}`;
}

/** The user may have blocked it: then the link of the own ledger opens a second copy of it, which sync keeps level. */
function withStorage<Result>(use: (storage: Storage) => Result): Result | undefined {
  try {
    return use(localStorage);
  } catch {
    return undefined;
  }
}
