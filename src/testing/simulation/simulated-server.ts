import {
  createMemorySyncStore,
  type MemoryStoreSnapshot,
  type MemorySyncStore,
} from '../../server/memory-sync-store.ts';
import type { Policy } from '../../server/policy.ts';
import { createSyncHandler } from '../../server/sync-handler.ts';
import { isPoison } from './bank.ts';
import type { PlanLimits } from './plan.ts';

/** The real handler over a store in memory, which may be put back to what it was. */
export interface SimulatedServer {
  readonly store: MemorySyncStore;
  handle(request: Request): Promise<Response>;
  /** Of all commits that it has. */
  readonly commandIds: readonly string[];
  backUp(): void;
  /** Puts the backup in the place of what is stored. @returns whether there is one. */
  restore(): boolean;
  /** Ends its event streams. */
  end(): void;
}

const policy: Policy = {
  log: () => 'allow',
  commit: (_actor, { events }) => (isPoison(events) ? { deny: 'POISON' } : 'allow'),
};

const unlimited = { requestsPerSecond: 1e9, requestBurst: 1e9, eventsPerSecond: 1e9, eventBurst: 1e9 };

export function createSimulatedServer({
  limits,
  now,
  newEpoch,
}: {
  readonly limits: PlanLimits;
  readonly now: () => number;
  readonly newEpoch: () => string;
}): SimulatedServer {
  const over = new AbortController();
  let store = createMemorySyncStore({ newId: newEpoch });
  let handle = createHandler(store);
  let backup: MemoryStoreSnapshot | undefined;

  function createHandler(on: MemorySyncStore): (request: Request) => Promise<Response> {
    return createSyncHandler({
      store: on,
      // A token is the name of a user.
      authenticate: (request) => {
        const user = /^Bearer (\w+)$/.exec(request.headers.get('authorization') ?? '')?.[1];
        return user === undefined ? undefined : { id: user };
      },
      authorise: policy,
      now,
      signal: over.signal,
      limits: { ...limits, ...unlimited },
    });
  }

  return {
    get store() {
      return store;
    },
    handle: (request) => handle(request),
    get commandIds() {
      return store.snapshot().logs.flatMap(({ commits }) => commits.map(({ commit }) => commit.commandId));
    },
    backUp: () => {
      backup = store.snapshot();
    },
    restore: () => {
      if (backup === undefined) return false;
      store = createMemorySyncStore({ newId: newEpoch, from: backup });
      handle = createHandler(store);
      return true;
    },
    end: () => over.abort(),
  };
}
