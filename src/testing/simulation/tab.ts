import { createMirror, type MirrorFeed } from '../../client/mirror.ts';
import type { Env } from '../../core/env.ts';
import { createEngine, type Engine } from '../../engine/engine.ts';
import type { EventLog } from '../../log/event-log.ts';
import { appSignature, type EngineMessage, type Executed, type ExecuteRequest } from '../../protocol/engine-api.ts';
import type { Sync, SyncHost, SyncProgress, SyncRun } from '../../protocol/sync-host.ts';
import { bank } from './bank.ts';
import type { Locks } from './locks.ts';
import type { CrashTime } from './plan.ts';

/** A page and its worker: the real engine and the real loop over a log that outlives them. */
export interface Tab {
  readonly isAlive: boolean;
  readonly log: EventLog;
  /** How sync said it was doing; undefined before it did. */
  readonly progress: SyncProgress | undefined;
  readonly host: SyncHost | undefined;
  /** What the page shows, by projection. */
  readonly mirrors: ReadonlyMap<string, MirrorFeed>;
  /** Never settles where the tab ends before. */
  execute(request: ExecuteRequest): Promise<Executed>;
  /** The page became visible, or the network came back. */
  wake(): void;
  /** The page is hidden: what is only in memory is saved. */
  rest(): void;
  /** Undefined takes back what was to come. */
  crash(when: CrashTime | undefined): void;
}

export interface TabOptions {
  readonly log: EventLog;
  readonly env: Required<Env> & { readonly random: () => number };
  /** Undefined where every tab syncs. */
  readonly locks: Locks | undefined;
  /** What the app's worker file would name. */
  readonly createSync: (isAlive: () => boolean) => Sync;
  readonly onEnd: () => void;
  readonly onBug: (error: unknown) => void;
}

/** Neither resolves nor rejects: who waits for it is gone. A new one each time, for it holds all who wait for it. */
const never = () => new Promise<never>(() => undefined);

export function openTab({ log, env, locks, createSync, onEnd, onBug }: TabOptions): Tab {
  const ended = new AbortController();
  const isAlive = () => !ended.signal.aborted;
  let crashAt: CrashTime | undefined;
  let progress: SyncProgress | undefined;
  let host: SyncHost | undefined;
  let run: SyncRun | undefined;

  function end(): void {
    if (!isAlive()) return;
    ended.abort();
    onEnd();
  }

  /** What a worker that is gone awaits never comes, and what it does reaches nobody. */
  async function whileAlive<Result>(work: () => Promise<Result>): Promise<Result> {
    if (!isAlive()) return never();
    const result = await work();
    return isAlive() ? result : never();
  }

  async function write<Result>(work: () => Promise<Result>): Promise<Result> {
    if (crashAt === 'before-write') end();
    return whileAlive(async () => {
      const result = await work();
      if (crashAt === 'after-write') end();
      return result;
    });
  }

  const mortal: EventLog = {
    logId: log.logId,
    address: log.address,
    snapshots: log.snapshots,
    get order() {
      return log.order;
    },
    openCheckpoints: () => whileAlive(() => log.openCheckpoints()),
    write: (work, options) => write(() => log.write(work, options)),
    read: (query) => log.read(query),
    readCommits: (from) => log.readCommits(from),
    verify: (options) => log.verify(options),
    head: () => whileAlive(() => log.head()),
    revisions: (streams) => whileAlive(() => log.revisions(streams)),
    onGrowth: (listener) => log.onGrowth((head, events) => isAlive() && listener(head, events)),
    onRebase: (listener) => log.onRebase((fork, isSetBack) => isAlive() && listener(fork, isSetBack)),
    openSync: () =>
      whileAlive(async () => {
        const synced = await log.openSync();
        return { ...synced, write: (work, options) => write(() => synced.write(work, options)) };
      }),
    close: () => undefined,
  };

  const own: TabOptions['env'] = {
    ...env,
    callLater: (call, delayMs) => env.callLater(() => isAlive() && call(), delayMs),
  };
  const sync = createSync(isAlive);
  const watched: Sync = {
    ...sync,
    start: (given) => {
      host = {
        ...given,
        report: (next) => {
          progress = next;
          given.report(next);
        },
      };
      run = sync.start(host);
      return run;
    },
  };
  const engine: Engine = createEngine({
    app: bank,
    env: own,
    openLog: async () => mortal,
    durable: true,
    sync: watched,
    syncing: {
      random: env.random,
      exclusively: (work, signal) =>
        locks === undefined ? work(signal) : locks.run('sync', () => work(signal), ended.signal),
    },
  });
  const mirrors = new Map(
    [...bank.projections.keys()].map((name) => [name, createMirror(name, () => void engine.mirror(name))]),
  );
  const port = {
    close: () => undefined,
    postMessage: (message: EngineMessage) => {
      if (!isAlive()) return;
      for (const [name, mirror] of mirrors) {
        if (message.type === 'snapshot' && message.projection === name) mirror.applySnapshot(message);
        if (message.type === 'patch') mirror.applyPatch(message);
      }
    },
  };
  const ready = (async () => {
    // The engine posts and closes, and nothing else.
    const welcome = await engine.connect({ app: appSignature(bank) }, port as unknown as MessagePort);
    if (welcome.status === 'failed') throw new Error(welcome.failure.text);
    for (const name of mirrors.keys()) await engine.mirror(name);
  })();
  ready.catch(onBug);

  return {
    get isAlive() {
      return isAlive();
    },
    log: mortal,
    get progress() {
      return progress;
    },
    get host() {
      return host;
    },
    mirrors,
    execute: async (request) => {
      await ready;
      return whileAlive(() => engine.execute(request));
    },
    wake: () => {
      run?.wake();
      void engine.wake().catch(onBug);
    },
    rest: () => void engine.rest().catch(onBug),
    crash: (when) => {
      if (when === 'now') end();
      else crashAt = when;
    },
  };
}
