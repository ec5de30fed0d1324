import type { App } from '../core/app.ts';
import type { Env } from '../core/env.ts';
import { type Failure, FailureError } from '../core/errors.ts';
import type { EventQuery } from '../core/event-query.ts';
import type { RecordedEvent } from '../core/events.ts';
import { createUpcaster } from '../core/upcast.ts';
import type { LogClosedListener } from '../log/event-log.ts';
import {
  appSignature,
  type EngineApi,
  type EventPage,
  type Hello,
  type LogHint,
  type Welcome,
} from '../protocol/engine-api.ts';
import type { Sync } from '../protocol/sync-host.ts';
import { createCommands, type Ground } from './commands.ts';
import { createCurrentLog } from './current-log.ts';
import type { ShownRows } from './projecting/plan-start.ts';
import { type Projections, startProjections } from './projecting/projections.ts';
import { createPublisher } from './publisher.ts';
import { createQueryHost } from './queries/query-host.ts';
import type { Exclusively, Reactions } from './reactions/reactions.ts';
import { createStreamCache } from './stream-cache.ts';
import type { Syncing, SyncingOptions } from './syncing/syncing.ts';
import { createTransfers, type OpenedLog } from './transfers.ts';

/** Events from which on an answer goes to the page. */
const pageEvents = 2_000;

/** Rows in one message: a page takes them in a few milliseconds. */
const snapshotRows = 5_000;

/** What an engine runs on. */
export interface EngineOptions {
  readonly app: App;
  readonly env: Env;
  /** `logId` is that of another device's log, where one is to be joined. */
  readonly openLog: (
    hint: LogHint | undefined,
    onClosed: LogClosedListener,
    logId: string | undefined,
  ) => Promise<OpenedLog>;
  /** Whether the log outlives the page. */
  readonly durable: boolean;
  /** Runs rules twice and compares: for development. */
  readonly checksPurity?: boolean;
  /** Name of a Web Lock that is held as long as the worker lives. */
  readonly aliveLock?: () => Promise<string>;
  readonly sync?: Sync | undefined;
  /** How sync runs once per browser, and draws its waits; as browsers do where it is left out. */
  readonly syncing?: Pick<SyncingOptions, 'random' | 'exclusively'>;
  /** How reactors and processes run once per browser; just runs them where it is left out. */
  readonly exclusively?: Exclusively;
}

/** A log that was opened, and what stands on it. */
interface Running extends Ground {
  readonly log: OpenedLog;
  /** Id that was asked for: another device began the log. */
  readonly joined: string | undefined;
  readonly reactions: Reactions | undefined;
  readonly syncing: Syncing | undefined;
}

export interface Engine extends EngineApi {
  /** Looks at the log for what other tabs wrote, as a timer does it: unlike `wake`, it leaves sync to its waiting times. */
  look(): Promise<void>;
  close(): void;
}

/** The pipeline of one tab: command → load → decide → append → project → publish. Platform-free; the worker file wires it. */
export function createEngine(options: EngineOptions): Engine {
  const { env, openLog, durable, checksPurity = false, aliveLock } = options;
  let { app } = options;
  const publisher = createPublisher();
  const upcaster = createUpcaster(app);
  const cache = createStreamCache();
  const queries = createQueryHost(
    app,
    publisher.post,
    (projection) => requireRunning().projections.ready(projection),
    (projection) => rowsNow(projection),
  );
  const cancelled = new Set<string>();
  let running: Running | undefined;
  let failure: Failure | undefined;
  /** What was noticed during an import: where that is not stored, it was another tab's. */
  let replaced: Failure | undefined;
  let reported = '';
  /** How far the log is known to have grown. */
  let grownTo = 0;
  const commands = createCommands({
    env,
    cache,
    cancelled,
    publisher,
    requireGround: requireRunning,
    onFailure: noteFailure,
    onGroupEnd: () => void followGrowth(requireRunning().projections),
  });

  const transfers = createTransfers({ app: app.name, cancelled, publisher, requireOpen: requireRunning });

  function report(): void {
    const projections = running?.projections.statuses() ?? [];
    const unreadable = running?.projections.unreadable() ?? [];
    const consumers = running?.reactions?.status ?? [];
    const noted = failure === undefined ? {} : { failure };
    const sync = running?.syncing === undefined ? {} : { sync: running.syncing.status };
    const message = { type: 'report', projections, unreadable, consumers, ...noted, ...sync } as const;
    const text = JSON.stringify(message);
    if (text === reported) return;
    reported = text;
    publisher.post(message);
  }

  /** A storage failure stands until the page is reloaded or the app decides, except for a full device, which may be freed. */
  function noteFailure(found: Failure): void {
    if (!lastingFailures.has(found.type)) return;
    // By its own import: a page that heard of it before it has the answer would ask the next worker for the same again.
    if (found.type === 'storage.replaced' && transfers.isImporting) {
      replaced = found;
      return;
    }
    failure = found;
    report();
  }

  async function start(hint: LogHint | undefined, logId: string | undefined): Promise<Running> {
    if (checksPurity) app = (await import('./check-purity.ts')).checkPurity(app);
    // What only some apps have is loaded by those, while the log is opened.
    const savesStates = [...app.aggregates.values()].some(({ snapshotEvery }) => snapshotEvery !== undefined);
    const stateSnapshots = savesStates ? import('./state-snapshots.ts') : undefined;
    const loadAcross = app.decisions.size > 0 ? import('./decide-across.ts') : undefined;
    const loadSyncing = options.sync === undefined ? undefined : import('./syncing/syncing.ts');
    const log = createCurrentLog(await openLog(hint, noteFailure, logId), upcaster);
    const across = await loadAcross;
    const syncing =
      options.sync &&
      (await (
        await loadSyncing
      )?.openSyncing({
        ...options.syncing,
        sync: options.sync,
        app,
        env,
        log,
        createDecideAcross: across && (() => across.createDecideAcross(app)),
        onChange: report,
        onMoved: () => publisher.post({ type: 'moved' }),
        onSetBack: (position) => {
          publisher.post({ type: 'set-back', position });
          // The page shows that now: what it is told next is news, also where it is what it was told last.
          reported = '';
        },
        onFailure: noteFailure,
      }));
    const saved = (await stateSnapshots)?.createStateSnapshots(app, log.snapshots, cache);
    const decideAcross = across?.createDecideAcross(app);
    // What was folded from what is pending may be of events that stand elsewhere now, or nowhere.
    log.onRebase(() => {
      cache.clear();
      decideAcross?.forget();
      // What was withdrawn makes it shorter.
      grownTo = 0;
    });
    queries.prepare();
    log.onGrowth((head, events) => {
      grownTo = Math.max(grownTo, head);
      // A group that is running takes what it appended itself, and looks afterwards whether there is more.
      if (running !== undefined && !commands.inGroup) void followGrowth(running.projections, events);
    });
    const projections = await startProjections({
      app,
      log,
      upcaster,
      now: env.now,
      isWanted: (projection) => publisher.includes(projection) || queries.open?.includes(projection) === true,
      onPatch: (patch) => {
        // Every mirrored projection is named, also where no row changed: its mirror follows the position.
        publisher.publish(patch);
        for (const [name, changes] of Object.entries(patch.changes)) queries.open?.applied(name, changes, patch);
      },
      // A state stops before what cannot be read: the next command on the stream says so.
      onEvents: (events) => saved?.follow(upcaster.readable(events)),
      onNewRows: (names) => {
        for (const name of names) {
          if (publisher.includes(name)) postRows(name);
          queries.open?.renewed(name, rowsNow(name));
        }
      },
      onChange: report,
      onFailure: noteFailure,
    });
    const reactions = await openReactions(log);
    // Of what came until now.
    void followGrowth(projections);
    return { app, log, joined: logId, projections, saved, decideAcross, reactions, syncing, toNote: syncing?.toNote };
  }

  /** Before the first command of this worker, which may be the business of a consumer that is new. */
  async function openReactions(log: OpenedLog): Promise<Reactions | undefined> {
    if (app.consumers.size === 0) return undefined;
    const reactions = await import('./reactions/reactions.ts');
    const onError = (error: unknown) => error instanceof FailureError && noteFailure(error.failure);
    const { whyUnreadable } = upcaster;
    return reactions.openReactions({
      ...options,
      app,
      log: options.sync === undefined ? log : (await import('./syncing/confirmed-log.ts')).createConfirmedLog(log),
      whyUnreadable,
      execute: commands.enqueue,
      onChange: report,
      onError,
    });
  }

  function requireRunning(): Running {
    if (running === undefined) throw new Error('The engine was asked before `connect` had opened the log.');
    return running;
  }

  /** Another tab's command needs no read where the hint has its events. */
  async function followGrowth(projections: Projections, events: readonly RecordedEvent[] = []): Promise<void> {
    if (events[0]?.position === projections.position + 1) await projections.advance(events);
    if (grownTo > projections.position) await projections.follow();
  }

  function rowsNow(projection: string): ShownRows {
    return requireRunning().projections.rowsOf(projection) ?? { rows: new Map(), position: 0, isBehind: true };
  }

  function postRows(projection: string): void {
    const { position, isBehind, ...shown } = rowsNow(projection);
    const rows = [...shown.rows];
    // At least one piece, also where there is no row.
    for (let start = 0; start === 0 || start < rows.length; start += snapshotRows) {
      const piece = rows.slice(start, start + snapshotRows);
      const place = { isFirst: start === 0, isLast: start + snapshotRows >= rows.length };
      publisher.post({ type: 'snapshot', projection, position, isBehind, rows: piece, ...place });
    }
  }

  async function look(): Promise<void> {
    running?.reactions?.wake();
    running?.syncing?.look();
    await running?.projections.follow();
  }

  return {
    connect: async (hello: Hello, port: MessagePort): Promise<Welcome> => {
      publisher.connect(port);
      const signature = appSignature(app);
      if (hello.app !== signature) return { status: 'failed', failure: mismatch(hello.app, signature) };
      try {
        running ??= await start(hello.hint, hello.log);
        running.reactions?.start();
        running.syncing?.start();
        report();
        const head = await running.log.head();
        const { log, syncing } = running;
        const sync = syncing === undefined ? {} : { sync: syncing.status };
        const lock = (await aliveLock?.()) ?? '';
        const noted = failure === undefined ? {} : { failure };
        return { status: 'ready', aliveLock: lock, logId: log.logId, head, durable, ...sync, ...noted };
      } catch (error) {
        if (!(error instanceof FailureError)) throw error;
        return { status: 'failed', failure: error.failure };
      }
    },
    execute: commands.execute,
    findState: async (commandId) => {
      const { log, syncing, projections } = requireRunning();
      for (;;) {
        const { rebases } = log.order;
        const found = await commands.findReceipt(commandId);
        if (found === undefined) break;
        // Its position is compared with the one that is confirmed: both of one order.
        if (log.order.rebases === rebases) return { ...found, state: syncing?.toState(found.saved) ?? found.saved };
      }
      const state = await syncing?.findRefused(commandId);
      return state && { state, projectedTo: projections.position };
    },
    syncNow: () => requireRunning().syncing?.wake(),
    readRefused: async () => (await requireRunning().syncing?.readRefused()) ?? [],
    dropRefused: async (commandIds) => requireRunning().syncing?.dropRefused(commandIds),
    stage: commands.stage,
    cancel: commands.cancel,
    mirror: async (projection) => {
      if (!app.projections.has(projection)) {
        throw new Error(`The app "${app.name}" has no projection "${projection}". Add it to defineApp.`);
      }
      await requireRunning().projections.ready(projection);
      // In one turn: whatever is published later starts at this position.
      publisher.include(projection);
      postRows(projection);
      report();
    },
    read: async (query) => {
      const { log } = requireRunning();
      for (;;) {
        const { rebases } = log.order;
        const page = await readPage(log, query);
        // A read ends early where others come in between: what it has is of an order that is no more.
        if (log.order.rebases === rebases) return page;
      }
    },
    rebuild: async (rebuildId, projection) => {
      const { log, projections, saved } = requireRunning();
      if (projection === undefined) {
        await log.snapshots.clear();
        // States too: whoever rebuilds does not trust what was folded.
        saved?.forget();
        cache.clear();
        requireRunning().decideAcross?.forget();
      }
      await projections.rebuild(projection === undefined ? [...app.projections.keys()] : [projection]);
      publisher.post({
        type: 'progress',
        callId: rebuildId,
        done: projections.position,
        total: projections.position,
      });
    },
    openQuery: queries.openQuery,
    closeQuery: queries.closeQuery,
    verify: transfers.verify,
    exportNext: transfers.exportNext,
    endExport: transfers.endExport,
    import: async (...given) => {
      const imported = await transfers.import(...given);
      if (imported.status === 'failed') noteFailure(replaced ?? imported.failure);
      return imported;
    },
    rest: async () => {
      await Promise.all([running?.projections.saveNow(), running?.saved?.saveNow()]);
    },
    look,
    wake: async () => {
      running?.syncing?.wake();
      await look();
    },
    ping: () => undefined,
    close: () => {
      running?.reactions?.stop();
      void running?.syncing?.stop();
      queries.open?.closeAll();
      running?.projections.close();
      running?.saved?.close();
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

async function readPage(log: OpenedLog, query: EventQuery): Promise<EventPage> {
  const events: RecordedEvent[] = [];
  for await (const page of log.read(query)) {
    for (const event of page) events.push(event);
    if (events.length >= pageEvents) return { events, isEnd: false };
  }
  return { events, isEnd: true };
}
