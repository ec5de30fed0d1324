import type { LogHint } from '../protocol/engine-api.ts';

/**
 * What the page remembers of its log outside IndexedDB: a browser that evicts the database empties it without a word,
 * and an empty log would look like a new user. A worker has no localStorage, so the page keeps it.
 */
export interface LogHintStore {
  read(): LogHint | undefined;
  /** Written at once the first time there is an event to remember, then at most once a second. */
  write(hint: LogHint): void;
  clear(): void;
}

export function createLogHintStore(app: string): LogHintStore {
  const key = `varve:${app}:log`;
  let newest: LogHint | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const writeNow = () => {
    timer = undefined;
    withStorage((storage) => newest && storage.setItem(key, JSON.stringify(newest)));
  };
  return {
    read: () => withStorage((storage) => parseHint(storage.getItem(key))),
    write: (hint) => {
      if (hint.head === 0) return;
      const first = newest === undefined;
      newest = hint;
      if (first) writeNow();
      else timer ??= setTimeout(writeNow, 1000);
    },
    clear: () => {
      newest = undefined;
      clearTimeout(timer);
      timer = undefined;
      withStorage((storage) => storage.removeItem(key));
    },
  };
}

/** Storage may be missing (server, worker) or throw on every touch (blocked site data, full): then there is no hint. */
function withStorage<Result>(use: (storage: Storage) => Result): Result | undefined {
  try {
    return typeof localStorage === 'undefined' ? undefined : use(localStorage);
  } catch {
    return undefined;
  }
}

function parseHint(text: string | null): LogHint | undefined {
  if (text === null) return undefined;
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) return undefined;
  const { logId, head } = value as Record<string, unknown>;
  return typeof logId === 'string' && typeof head === 'number' ? { logId, head } : undefined;
}
