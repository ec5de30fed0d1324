import type { Aggregate, CommandInput, CommandName, CommandRejection } from '../core/aggregate.ts';
import type { App } from '../core/app.ts';
import { type Command, command } from '../core/command.ts';
import type { Decision, DecisionInput, DecisionRejection } from '../core/decision.ts';
import { type Failure, FailureError } from '../core/errors.ts';
import type { EventFilter, EventQuery } from '../core/event-query.ts';
import type { OptionalData, RecordedEvent } from '../core/events.ts';
import type { Projection, RowOf } from '../core/projection.ts';
import type { Receipt } from '../core/receipt.ts';
import type { RowQuery } from '../core/row-query.ts';
import {
  appSignature,
  type EngineMessage,
  type EngineReport,
  type EventPage,
  type Progress,
  type RefusedCommit,
} from '../protocol/engine-api.ts';
import { isId } from '../protocol/id.ts';
import { randomId } from '../protocol/random-id.ts';
import { createConnection, type WorkerLike } from './connection.ts';
import { createOpenQuery, type LiveQuery } from './live-query.ts';
import { createLogHintStore } from './log-hint.ts';
import { createMirror, type Mirror, type MirrorFeed } from './mirror.ts';
import { createOutbox, type DecisionOptions, type ExecuteOptions, type SendOptions } from './outbox.ts';
import { createReceipts, type Receipts } from './receipts.ts';
import { createStatusStore, failureToPhase, type StatusStore } from './status.ts';
import { createStorageWatch } from './storage-watch.ts';
import { type SubscribeOptions, subscribe } from './subscribe.ts';
import { createTransfers, type Transfers } from './transfers.ts';

export type { RefusedCommit };

/** The page's side of an app: sends commands to the worker, mirrors projections, and knows what is saved. */
export interface Client extends Transfers {
  readonly app: App;
  /**
   * Sends one command. Resolves when its events are on disk and every open mirror and query of this page shows them; or
   * with the domain's rejection; or with a failure. Rejects only where the app's own code threw.
   */
  execute<A extends Aggregate, Name extends CommandName<A>>(
    aggregate: A,
    id: string,
    name: Name,
    ...input: readonly [...OptionalData<CommandInput<A, Name>>, options?: ExecuteOptions]
  ): Promise<Receipt<CommandRejection<A, Name>>>;
  /** Sends several commands as one atomic commit: all are saved, or none. */
  execute(commands: readonly Command[], options?: ExecuteOptions): Promise<Receipt>;
  /** Sends a decision across streams. */
  execute<D extends Decision>(
    decision: D,
    ...input: readonly [...OptionalData<DecisionInput<D>>, options?: DecisionOptions]
  ): Promise<Receipt<DecisionRejection<D>>>;
  /**
   * Stored events, page by page, in the newest form; those that this build of the app cannot read (`status.unreadable`)
   * as they are stored. Throws `FailureError` where the storage cannot be read.
   */
  read(query?: EventQuery): AsyncIterable<RecordedEvent>;
  /**
   * The events after a position, in order and each once: first those that are stored, then those that come, of this tab
   * and of others, until `signal` ends it. With sync, those that are confirmed; where a server was put back to what it had
   * earlier, what stands after that place now, also where it was told before.
   *
   * Throws `FailureError` where they cannot be read, as once the client is closed (`engine.stopped`), and
   * `storage.replaced` where an import puts another log in the place of the one that is followed.
   */
  subscribe(filter?: EventFilter, options?: SubscribeOptions): AsyncIterable<RecordedEvent>;
  /** The page's copy of a projection; opened by the first call, kept for the life of the client. */
  mirror<P extends Projection>(projection: P): Mirror<RowOf<P>>;
  /**
   * Opens a query's window: the rows that it chooses, computed in the worker and kept up to date. Two calls with the same
   * query share one window; it is closed when all who opened it have closed theirs.
   *
   * ### Example
   * ```ts
   * const richest = client.query(Accounts, { orderBy: ['balance', 'desc'], limit: 10 });
   * await richest.ready;
   * for (const { key, row } of richest.rows) console.log(key, row.balance);
   * richest.close();
   * ```
   */
  query<P extends Projection>(projection: P, query?: RowQuery<P>): LiveQuery<RowOf<P>>;
  /**
   * Folds the whole log again, for one projection, or for all and the saved states too. What is shown stays until the
   * new rows take its place; resolves when they have. `status.projections` has how far it is.
   */
  rebuild(projection?: Projection): Promise<void>;
  /**
   * Resolves when every mirror that is open shows this position of the log, as `execute` does for its own commands: what
   * to await after a command that was made elsewhere, in another tab or by a worker of the app. Rejects where the rows
   * cannot come.
   */
  whenReached(position: number): Promise<void>;
  readonly status: StatusStore;
  /** What became of each command. */
  readonly receipts: Receipts;
  /** Syncs now, whatever it is waiting for; `status.sync` has how it goes. Does nothing without sync. */
  syncNow(): void;
  /** Commands that were saved and then withdrawn by sync, with what they had said: kept until they are dropped. */
  readRefused(): Promise<readonly RefusedCommit[]>;
  /** Forgets withdrawn commands, once the user has dealt with them. */
  dropRefused(commandIds: readonly string[]): Promise<void>;
  /**
   * After `storage.reset`: accepts that events are gone from this device, and goes on with what is left: often nothing. A
   * backup can be imported after it, and not before.
   */
  startOver(): void;
  /** Ends the worker once the open commands are answered. Who follows the log, or waits for rows, is told of it. */
  close(): Promise<void>;
}

export interface ClientOptions {
  /** Whether to ask the browser, after the first saved command, to keep the data for good. On by default; Firefox asks the user. */
  readonly askToPersist?: boolean;
  /** How long the worker may be silent before it is asked whether it lives. 10 s by default. */
  readonly patienceMs?: number;
  /**
   * Joins the log of this id, which another device began (`status.logId` there): it is kept in a database of its own and
   * filled by sync. The app's own log of this device by default. 1 to 128 letters, digits, `.`, `_` or `-`.
   */
  readonly log?: string | undefined;
  /** Makes the ids of commands that were given none; drawn at random by default. */
  readonly newId?: () => string;
}

const noLogId =
  'is the id of no log: 1 to 128 letters, digits, ".", "_" or "-", as `status.logId` of the device that began it. Leave it out for this device’s own.';

/**
 * Connects a page to its worker. Throws a `TypeError` where `log` is no id: a link may be mistyped.
 *
 * ### Example
 * ```ts
 * const client = createClient(bank, () => new Worker(new URL('./bank.worker.ts', import.meta.url), { type: 'module' }));
 * ```
 */
export function createClient(app: App, createWorker: () => WorkerLike, options: ClientOptions = {}): Client {
  const { newId = randomId, log, patienceMs = 10_000 } = options;
  if (log !== undefined && !isId(log)) throw new TypeError(`${JSON.stringify(log)} ${noLogId}`);
  const status = createStatusStore();
  const feeds = new Map<string, MirrorFeed>();
  const hints = createLogHintStore(log === undefined ? app.name : `${app.name}:${log}`);
  const storage = createStorageWatch(status, options.askToPersist ?? true);
  const {
    receipts,
    follow,
    refresh,
    close: closeReceipts,
  } = createReceipts(async (commandId) => {
    const found = await connection.call((api) => api.findState(commandId));
    if (found !== undefined && 'position' in found.state) await whenShown(found.state.position, found.projectedTo);
    return found?.state;
  });
  const progressListeners = new Map<string, (progress: Progress) => void>();
  const closing = new AbortController();
  /** Of a log that outlives the page; only such a one can be missed. */
  let durableLogId = '';

  const connection = createConnection({
    createWorker,
    patienceMs,
    hello: () => ({ app: appSignature(app), hint: hints.read(), log }),
    onMessage,
    onReady: ({ logId, head, sync, durable, failure }) => {
      // The worker before it died on a log that was replaced since.
      if (logId !== (status.getState().logId ?? logId)) forgetLog();
      durableLogId = durable ? logId : '';
      // In one step: who follows the log from `ready` on knows from where.
      const saved = Math.max(status.getState().saved, head);
      status.setState({ phase: 'ready', logId, sync, saved, failure: undefined });
      noteSaved(saved);
      storage.check(durable);
      for (const projection of feeds.keys()) requestSnapshot(projection);
      // What moved on while there was no worker, nobody has told.
      refresh();
      // A report that said so while the log was opened is overwritten by now.
      if (failure !== undefined) noteFailure(failure);
    },
    onFailed: noteFailure,
  });

  function onMessage(message: EngineMessage): void {
    switch (message.type) {
      case 'patch':
        for (const feed of feeds.values()) feed.applyPatch(message);
        if (message.isRebase) status.setState(({ rebases }) => ({ saved: message.to, rebases: rebases + 1 }));
        noteSaved(message.to);
        break;
      case 'moved':
        refresh();
        break;
      case 'set-back':
        status.setState(({ sync }) =>
          sync === undefined ? {} : { sync: { ...sync, confirmed: Math.min(sync.confirmed, message.position) } },
        );
        break;
      case 'snapshot':
        feeds.get(message.projection)?.applySnapshot(message);
        break;
      case 'progress':
        progressListeners.get(message.callId)?.(message);
        break;
      case 'report':
        noteReport(message);
    }
  }

  function noteReport({
    projections,
    unreadable,
    consumers,
    sync = status.getState().sync,
    failure,
  }: EngineReport): void {
    status.setState({ projections, unreadable, consumers, sync });
    if (failure !== undefined) noteFailure(failure);
  }

  function noteSaved(position: number): void {
    if (position > status.getState().saved) status.setState({ saved: position });
    if (durableLogId !== '') hints.write({ logId: durableLogId, head: status.getState().saved });
  }

  /** Another log may stand in the place of the one that was open. */
  function forgetLog(): void {
    hints.clear();
    durableLogId = '';
    for (const feed of feeds.values()) feed.restart();
    status.setState({ phase: 'booting', logId: undefined, sync: undefined, saved: 0, failure: undefined });
  }

  /** A new worker on whatever log is there now. */
  function reopen(): void {
    forgetLog();
    connection.restart();
  }

  function noteFailure(failure: Failure): void {
    // An import in another tab: the mirrors follow.
    if (failure.type === 'storage.replaced') {
      reopen();
      return;
    }
    const phase = failureToPhase(failure);
    status.setState({ phase, failure });
    // Outdated pages go on showing what they have, and of a damaged log what could be read; others would wait for rows
    // that never come.
    if (phase === 'failed' && failure.type !== 'storage.damaged')
      for (const feed of feeds.values()) feed.fail(new FailureError(failure));
  }

  function requestSnapshot(projection: string): void {
    connection.call(feeds.get(projection)?.ask ?? ((api) => api.mirror(projection))).catch((error: unknown) => {
      feeds.get(projection)?.fail(error instanceof Error ? error : new Error(String(error)));
    });
  }

  async function whenShown(position: number, projectedTo: number): Promise<void> {
    // It is on disk: a worker that could not read the rows, or a failure meanwhile, must not make it look unsaved.
    const visible = Math.min(position, projectedTo);
    // A mirror that has no rows yet, or old ones only, will start at a position that has them all.
    const reach = ({ mirror }: MirrorFeed) => mirror.loaded && !mirror.isBehind && mirror.whenReached(visible);
    await Promise.allSettled([...feeds.values()].map(reach));
  }

  // On a server there is nothing to start; the first use starts it elsewhere (a test without a page).
  if (typeof document !== 'undefined') {
    connection.start();
    const wake = () => {
      const isVisible = document.visibilityState === 'visible';
      void connection.call((api) => (isVisible ? api.wake() : api.rest())).catch(() => undefined);
    };
    // Hints of other tabs are missed while a page is frozen or in the back/forward cache.
    document.addEventListener('visibilitychange', wake, { signal: closing.signal });
    addEventListener('pageshow', wake, { signal: closing.signal });
    // Not every worker hears of it: none does where Chromium's tools take the network away and give it back.
    addEventListener('online', wake, { signal: closing.signal });
  }

  const outbox = createOutbox({
    call: connection.call,
    status,
    progressListeners,
    follow,
    onSaved: async ({ receipt, projectedTo }, rebases) => {
      if (receipt.status !== 'saved') return;
      await whenShown(receipt.position, projectedTo);
      // In another order since, it is not a place of this log: the patch that brought the order has told its end.
      if (status.getState().rebases === rebases) noteSaved(receipt.position);
      storage.afterSave();
    },
  });
  const send = (commands: readonly Command[], { commandId = newId(), ...rest }: SendOptions = {}) =>
    outbox.send(commands, { ...rest, commandId });
  const read = (query: EventQuery = {}) => readPages(query, (page) => connection.call((api) => api.read(page)));

  return {
    app,
    status,
    receipts,
    // One implementation for both forms; the overloads of `Client` are what callers see.
    execute: ((...input: ExecuteInput) => {
      if (isCommandList(input)) return send(input[0], input[1]);
      if (isDecision(input)) {
        const [{ name }, decisionInput = {}, decisionOptions] = input;
        return send([], { ...decisionOptions, decision: { name, input: decisionInput } });
      }
      const [aggregate, id, name, commandInput, executeOptions] = input;
      return send([command(aggregate, id, name as never, commandInput)], executeOptions);
    }) as Client['execute'],
    read,
    subscribe: (filter = {}, subscribeOptions = {}) => {
      connection.start();
      return subscribe(read, status, filter, { ...subscribeOptions, closed: closing.signal });
    },
    mirror: <P extends Projection>(projection: P) => {
      let feed = feeds.get(projection.name);
      if (feed === undefined) {
        feed = createMirror(projection.name, () => requestSnapshot(projection.name));
        feeds.set(projection.name, feed);
        requestSnapshot(projection.name);
      }
      // The rows were made by this projection: its name is unique in the app.
      return feed.mirror as Mirror<RowOf<P>>;
    },
    query: createOpenQuery(feeds, connection.call, requestSnapshot),
    whenReached: async (position) => {
      const reached = ([name, { mirror }]: readonly [string, MirrorFeed]) =>
        mirror.whenReached(position).catch((error: unknown) => {
          // The window of a query that was closed meanwhile is open no more.
          if (feeds.has(name)) throw error;
        });
      await Promise.all([...feeds].map(reached));
    },
    rebuild: async (projection) => {
      const rebuildId = randomId();
      // Rows come on a port of their own: its last message says that they are here.
      const arrived = new Promise<Progress>((resolve) => progressListeners.set(rebuildId, resolve));
      try {
        // All of it again where the worker dies before they are.
        await connection.call((api) => api.rebuild(rebuildId, projection?.name).then(() => arrived));
      } finally {
        progressListeners.delete(rebuildId);
      }
    },
    ...createTransfers(connection, progressListeners, async ({ events }) => {
      reopen();
      await connection.call((api) => api.ping());
      await Promise.allSettled([...feeds.values()].map(({ mirror }) => mirror.whenReached(events)));
    }),
    syncNow: () => void connection.call((api) => api.syncNow()).catch(() => undefined),
    readRefused: () => connection.call((api) => api.readRefused()),
    dropRefused: (commandIds) => connection.call((api) => api.dropRefused(commandIds)),
    startOver: reopen,
    close: async () => {
      const failure = new FailureError(closed);
      closing.abort(failure);
      closeReceipts();
      await outbox.settled();
      await connection.close(failure);
      for (const feed of feeds.values()) feed.fail(failure);
    },
  };
}

const closed: Failure = {
  type: 'engine.stopped',
  text: 'The client was closed by the app. Make a new one with createClient.',
};

type SingleInput = readonly [Aggregate, string, string, unknown?, ExecuteOptions?];
type ListInput = readonly [readonly Command[], ExecuteOptions?];
type DecisionArguments = readonly [Decision, unknown?, ExecuteOptions?];
type ExecuteInput = SingleInput | ListInput | DecisionArguments;

function isDecision(input: SingleInput | DecisionArguments): input is DecisionArguments {
  return input[0].kind === 'decision';
}

function isCommandList(input: ExecuteInput): input is ListInput {
  return Array.isArray(input[0]);
}

async function* readPages(
  query: EventQuery,
  readPage: (query: EventQuery) => Promise<EventPage>,
): AsyncGenerator<RecordedEvent> {
  let rest = query;
  for (;;) {
    const { events, isEnd } = await readPage(rest);
    yield* events;
    const last = events.at(-1);
    if (isEnd || last === undefined) return;
    const limit = rest.limit === undefined ? {} : { limit: rest.limit - events.length };
    rest = { ...rest, ...limit, ...(rest.backwards ? { to: last.position - 1 } : { from: last.position + 1 }) };
  }
}
