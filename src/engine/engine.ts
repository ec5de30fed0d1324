import type { App } from '../core/app.ts';
import type { Command } from '../core/command.ts';
import type { Env } from '../core/env.ts';
import { type Failure, FailureError } from '../core/errors.ts';
import type { RecordedEvent } from '../core/events.ts';
import type { LogClosedListener } from '../log/event-log.ts';
import {
  appSignature,
  type EngineApi,
  type ExecuteRequest,
  type Hello,
  type LogHint,
  type Welcome,
} from '../protocol/engine-api.ts';
import { type CatchUp, createCatchUp } from './catch-up.ts';
import { createCommandQueue, type Outcome } from './command-queue.ts';
import type { RunPure } from './consumer-work.ts';
import { executeGroup, toFailed } from './execute.ts';
import { keepSnapshots, type SnapshotKeeper } from './keep-snapshots.ts';
import { createProjector, type Projector } from './projector.ts';
import { createPublisher } from './publisher.ts';
import type { Exclusively, Reactions } from './reactions.ts';
import { createStateSnapshots, type StateSnapshots } from './state-snapshots.ts';
import { createStreamCache } from './stream-cache.ts';
import { createTransfers, type OpenedLog } from './transfers.ts';

/** Events from which on an answer goes to the page. */
const pageEvents = 2_000;

/** What an engine runs on. */
export interface EngineOptions {
  readonly app: App;
  readonly env: Env;
  readonly openLog: (hint: LogHint | undefined, onClosed: LogClosedListener) => Promise<OpenedLog>;
  /** Whether the log outlives the page. */
  readonly durable: boolean;
  /** Name of a Web Lock that is held as long as the worker lives. */
  readonly aliveLock?: () => Promise<string>;
  /** How reactors and processes run once per browser; just runs them where it is left out. */
  readonly exclusively?: Exclusively;
  /** How handlers that must be pure are called. */
  readonly runPure?: RunPure;
}

/** A log that was opened, and what stands on it. */
interface Running {
  readonly log: OpenedLog;
  readonly projector: Projector;
  readonly catchUp: CatchUp;
  /** Settles when the rows hold what was in the log at the start: no page is shown a half-read log. */
  caughtUp: Promise<void>;
  readonly keeper: SnapshotKeeper;
  readonly saved: StateSnapshots;
  readonly reactions: Reactions | undefined;
}

export interface Engine extends EngineApi {
  close(): void;
}

/** The pipeline of one tab: command → load → decide → append → project → publish. Platform-free; the worker file wires it. */
export function createEngine(options: EngineOptions): Engine {
  const { app, env, openLog, durable, aliveLock } = options;
  const publisher = createPublisher();
  const cache = createStreamCache();
  const staged = new Map<string, Command[]>();
  const cancelled = new Set<string>();
  const reporting = new Set<string>();
  let running: Running | undefined;
  let failure: Failure | undefined;
  let reported = '';
  /** How far the log is known to have grown, and whether a group of commands is being stored. */
  let grownTo = 0;
  let inGroup = false;
  let isRebuilding = false;

  function report(): void {
    const projections = running?.projector.errors ?? [];
    const consumers = running?.reactions?.status ?? [];
    const message = { type: 'report', projections, consumers, ...(failure === undefined ? {} : { failure }) } as const;
    const text = JSON.stringify(message);
    if (text === reported) return;
    reported = text;
    publisher.post(message);
  }

  /** A storage failure stands until the page is reloaded or the app decides, except for a full device, which may be freed. */
  function noteFailure(found: Failure): void {
    if (!lastingFailures.has(found.type)) return;
    failure = found;
    report();
  }

  async function start(hint: LogHint | undefined): Promise<Running> {
    const log = await openLog(hint, noteFailure);
    const projector = createProjector(app);
    const keeper = keepSnapshots(log, projector);
    const saved = createStateSnapshots(app, log.snapshots, cache);
    // A rebuild posts its rows as a whole, at its end.
    const isWanted = (projection: string) => !isRebuilding && publisher.includes(projection);
    const catchUp = createCatchUp(log, projector, isWanted, (patch, events) => {
      // Every mirrored projection is named, also where no row changed: its mirror follows the position.
      if (!isRebuilding) {
        publisher.post(patch);
        saved.follow(events);
      }
      keeper.note();
      report();
    });
    await keeper.restore();
    log.onGrowth((head, events) => {
      grownTo = Math.max(grownTo, head);
      // A group that is running takes what it appended itself, and looks afterwards whether there is more.
      if (!inGroup) void followGrowth(projector, catchUp, events);
    });
    const caughtUp = followLog(catchUp);
    return { log, projector, catchUp, keeper, saved, caughtUp, reactions: await openReactions(log) };
  }

  /** Before the first command of this worker, which may be the business of a consumer that is new. */
  async function openReactions(log: OpenedLog): Promise<Reactions | undefined> {
    if (app.consumers.size === 0) return undefined;
    const reactions = await import('./reactions.ts');
    const onError = (error: unknown) => error instanceof FailureError && noteFailure(error.failure);
    return reactions.openReactions({ ...options, log, execute: enqueue, onChange: report, onError });
  }

  function requireRunning(): Running {
    if (running === undefined) throw new Error('The engine was asked before `connect` had opened the log.');
    return running;
  }

  /** Reading may fail where writing does not; the rows are then behind, which the next hint or wake mends. */
  async function followLog(catchUp: CatchUp): Promise<void> {
    try {
      await catchUp.toHead();
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      noteFailure(error.failure);
    }
  }

  /** Another tab's command needs no read where the hint has its events. */
  async function followGrowth(
    projector: Projector,
    catchUp: CatchUp,
    events: readonly RecordedEvent[] = [],
  ): Promise<void> {
    if (events[0]?.position === projector.position + 1) await catchUp.advance(events).catch(() => followLog(catchUp));
    if (grownTo > projector.position) await followLog(catchUp);
  }

  async function runGroup(requests: readonly ExecuteRequest[]): Promise<readonly Outcome[]> {
    const { log, projector, catchUp, saved } = requireRunning();
    const hooks = {
      isCancelled: (commandId: string) => cancelled.has(commandId),
      onProgress: (commandId: string, done: number, total: number) => {
        if (reporting.has(commandId)) publisher.post({ type: 'progress', commandId, done, total });
      },
    };
    try {
      inGroup = true;
      const { outcomes, appended } = await executeGroup(requests, { app, env, log, cache, hooks, saved });
      if (appended.length > 0) {
        // On disk already: what goes wrong from here on must not turn the receipt into a failure.
        await catchUp.advance(appended).catch(() => followLog(catchUp));
      }
      return outcomes;
    } catch (error) {
      // One request must not fail for another's size: each tries alone.
      if (requests.length > 1) return (await Promise.all(requests.map((request) => runGroup([request])))).flat();
      const [request] = requests;
      if (!(error instanceof FailureError) || request === undefined) return [{ thrown: error }];
      noteFailure(error.failure);
      return [{ receipt: toFailed(request, error) }];
    } finally {
      inGroup = false;
      void followGrowth(projector, catchUp);
    }
  }

  function postSnapshot(projection: string, projector: Projector): void {
    const rows = [...(projector.rowsOf(projection) ?? [])];
    publisher.post({ type: 'snapshot', projection, position: projector.position, rows });
  }

  const enqueue = createCommandQueue(runGroup);

  return {
    connect: async (hello: Hello, port: MessagePort): Promise<Welcome> => {
      publisher.connect(port);
      const signature = appSignature(app);
      if (hello.app !== signature) return { status: 'failed', failure: mismatch(hello.app, signature) };
      try {
        running ??= await start(hello.hint);
        running.reactions?.start();
        const head = await running.log.head();
        return { status: 'ready', aliveLock: (await aliveLock?.()) ?? '', logId: running.log.logId, head, durable };
      } catch (error) {
        if (!(error instanceof FailureError)) throw error;
        return { status: 'failed', failure: error.failure };
      }
    },
    execute: async (request) => {
      const commands = staged.get(request.commandId) ?? request.commands;
      staged.delete(request.commandId);
      if (request.staged !== undefined && request.staged !== commands.length) {
        throw new Error(`Of ${request.staged} commands that were sent ahead, ${commands.length} arrived.`);
      }
      if (request.reportProgress) reporting.add(request.commandId);
      try {
        const receipt = await enqueue({ ...request, commands });
        // A command that was repeated may be ahead of the rows of a worker that has just started.
        const { projector, catchUp } = requireRunning();
        if (receipt.status === 'saved' && receipt.position > projector.position) await followLog(catchUp);
        return { receipt, projectedTo: projector.position };
      } finally {
        cancelled.delete(request.commandId);
        reporting.delete(request.commandId);
      }
    },
    stage: (commandId, start, commands) => {
      const list = (start === 0 ? undefined : staged.get(commandId)) ?? [];
      list.push(...commands);
      staged.set(commandId, list);
    },
    cancel: (commandId) => {
      staged.delete(commandId);
      cancelled.add(commandId);
    },
    mirror: async (projection) => {
      const { projector, caughtUp } = requireRunning();
      await caughtUp;
      const rows = projector.rowsOf(projection);
      if (rows === undefined) {
        throw new Error(`The app "${app.name}" has no projection "${projection}". Add it to defineApp.`);
      }
      // In one turn: whatever is published later starts at this position.
      publisher.include(projection);
      postSnapshot(projection, projector);
      report();
    },
    read: async (query) => {
      const events: RecordedEvent[] = [];
      for await (const page of requireRunning().log.read(query)) {
        for (const event of page) events.push(event);
        if (events.length >= pageEvents) return { events, isEnd: false };
      }
      return { events, isEnd: true };
    },
    rebuild: async () => {
      const { log, projector, catchUp, saved } = requireRunning();
      await requireRunning().caughtUp;
      await log.snapshots.clear();
      // States too: whoever rebuilds does not trust what was folded.
      saved.forget();
      cache.clear();
      isRebuilding = true;
      projector.reset();
      const rebuilt = followLog(catchUp).finally(() => {
        isRebuilding = false;
      });
      requireRunning().caughtUp = rebuilt;
      await rebuilt;
      for (const name of app.projections.keys()) if (publisher.includes(name)) postSnapshot(name, projector);
      report();
    },
    ...createTransfers({ app: app.name, cancelled, publisher, requireLog: () => requireRunning().log }),
    rest: async () => {
      if (running !== undefined) await Promise.all([running.keeper.saveNow(), running.saved.saveNow()]);
    },
    wake: async () => {
      running?.reactions?.wake();
      if (running !== undefined) await followLog(running.catchUp);
    },
    ping: () => undefined,
    close: () => {
      running?.reactions?.stop();
      running?.keeper.close();
      running?.saved.close();
      running?.log.close();
    },
  };
}

const lastingFailures: ReadonlySet<Failure['type']> = new Set([
  'storage.outdated',
  'storage.reset',
  'storage.replaced',
  'storage.damaged',
  'storage.unavailable',
]);

function mismatch(page: string, worker: string): Failure {
  return {
    type: 'engine.mismatch',
    text: `The page and its worker come from two builds of the app (page: ${page}; worker: ${worker}). A new version was installed while this page was open. Reload the page.`,
  };
}
