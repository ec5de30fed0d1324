import type { App } from '../core/app.ts';
import type { Command } from '../core/command.ts';
import type { ExpectedRevision, Failure } from '../core/errors.ts';
import type { EventQuery } from '../core/event-query.ts';
import type { RecordedEvent } from '../core/events.ts';
import type { RowChange } from '../core/projection.ts';
import type { CommandState, Receipt } from '../core/receipt.ts';
import type { Rejection } from '../core/rejection.ts';
import type { AnyRowQuery, Cursor } from '../core/row-query.ts';
import type { SyncCommit } from './sync-commit.ts';
import type { SyncReason, SyncStatus } from './sync-host.ts';

/**
 * What a page asks of its worker: requests over Comlink, plain data both ways.
 *
 * Every request may be sent again to a new worker after the old one died: `execute` carries the command id by which the
 * log recognises it, an import that was swapped in before takes its own place, the others change nothing that is stored.
 */
export interface EngineApi {
  /** The first call: opens the log and hands over the port for `EngineMessage`s. */
  connect(hello: Hello, port: MessagePort): Promise<Welcome>;
  execute(request: ExecuteRequest): Promise<Executed>;
  /** What came of a command that was committed at any time; undefined where the log does not know its id. */
  findState(commandId: string): Promise<FoundState | undefined>;
  /** Sends a long list of commands ahead, slice by slice, for an `execute` with `staged`. */
  stage(callId: string, commands: readonly Command[]): void;
  /** Of an `execute` with this `callId`, or an import. */
  cancel(callId: string): void;
  /** Starts to mirror a projection, or starts again after a gap: a `snapshot` follows on the port, then patches. */
  mirror(projection: string): Promise<void>;
  /**
   * Opens a query's window under an id of the page's choice, or opens it again after a gap. It is mirrored under this
   * id like a projection under its name: a `snapshot` follows on the port, then patches. Throws where the projection
   * cannot answer the query.
   */
  openQuery(id: string, projection: string, query: AnyRowQuery): Promise<void>;
  closeQuery(id: string): void;
  /** The first page of a query. */
  read(query: EventQuery): Promise<EventPage>;
  /**
   * Folds the whole log again, for one projection or all, beside the rows that are shown. Mirrors then get snapshots, and
   * after them a `progress` message under `rebuildId` says that it is done.
   */
  rebuild(rebuildId: string, projection?: string): Promise<void>;
  /** Checks the chains of the whole log; told of by `progress` messages under `checkId`. */
  verify(checkId: string): Promise<Checked>;
  /**
   * The next piece of an export as UTF-8, the first of which has the number 0 and begins it; undefined at its end. Fails
   * where another worker began it: what came before may be of another log.
   */
  exportNext(exportId: string, piece: number): Promise<Uint8Array<ArrayBuffer> | undefined>;
  endExport(exportId: string): Promise<void>;
  /**
   * Checks a file that was exported and puts it in the place of the log; told of by `progress` messages under
   * `importId`, in bytes, and ended by `cancel`. The worker then has to be replaced: its log is no more.
   */
  import(importId: string, file: Blob, options: { readonly replace: boolean }): Promise<Imported>;
  /** Syncs now, whatever it is waiting for. */
  syncNow(): void;
  /** What was withdrawn, oldest first. */
  readRefused(): Promise<readonly RefusedCommit[]>;
  dropRefused(commandIds: readonly string[]): Promise<void>;
  /** The page is hidden, and may be gone in a moment: what is only kept in memory is saved. */
  rest(): Promise<void>;
  /** The page became visible or came back: hints of other tabs may have been missed, and sync tries now. */
  wake(): Promise<void>;
  /** Answers as long as the worker lives and its event loop turns. */
  ping(): void;
}

export interface EventPage {
  readonly events: readonly RecordedEvent[];
  /** Whether the query has no more than these. */
  readonly isEnd: boolean;
}

/** What a page says of itself. */
export interface Hello {
  /** `appSignature` of the page's build. */
  readonly app: string;
  /** What the page remembers of the log from earlier visits. */
  readonly hint?: LogHint | undefined;
  /** Id of the log to be opened, where it is not the app's own of this device. */
  readonly log?: string | undefined;
}

/** What a page remembers of the log outside the database, so that an evicted log is not taken for a new user. */
export interface LogHint {
  readonly logId: string;
  readonly head: number;
}

export type Welcome =
  | {
      readonly status: 'ready';
      /** Name of the Web Lock that the worker holds as long as it lives; empty where there are no Web Locks. */
      readonly aliveLock: string;
      readonly logId: string;
      readonly head: number;
      /** Whether the log outlives the page. */
      readonly durable: boolean;
      /** Absent without sync. */
      readonly sync?: SyncStatus;
      /** A lasting one that was noticed while the log was opened. */
      readonly failure?: Failure;
    }
  | { readonly status: 'failed'; readonly failure: Failure };

export type Imported =
  | { readonly status: 'imported'; readonly logId: string; readonly commits: number; readonly events: number }
  | { readonly status: 'failed'; readonly failure: Failure };

/** What a check of the chains found. */
export type Checked =
  | { readonly status: 'verified'; readonly events: number }
  | { readonly status: 'broken'; readonly position: number; readonly text: string }
  | { readonly status: 'failed'; readonly failure: Failure };

export interface ExecuteRequest {
  readonly commandId: string;
  readonly commands: readonly Command[];
  /** A decision across streams, in the place of `commands`. */
  readonly decision?: { readonly name: string; readonly input: unknown };
  /**
   * What `stage`, `cancel` and the progress of this call go by: its command id may be on its way twice, as where React
   * runs an effect twice in development.
   */
  readonly callId?: string;
  /** How many commands were sent ahead by `stage`; they take the place of `commands`. */
  readonly staged?: number;
  /** Of the stream of the first command. */
  readonly expectedRevision?: ExpectedRevision;
  readonly correlationId?: string;
  readonly causationId?: string;
  readonly durability?: 'strict' | 'relaxed';
  readonly reportProgress?: boolean;
}

/** What came of a request, and how far the rows are: a page waits for no more than was published. */
export interface Executed {
  readonly receipt: Receipt;
  readonly projectedTo: number;
}

/** What became of a command of any time. */
export interface FoundState {
  readonly state: CommandState;
  readonly projectedTo: number;
}

/** What a worker tells its page unasked, in order, over a port of its own. */
export type EngineMessage = Patch | MirrorSnapshot | Progress | EngineReport | CommandsMoved | SetBack;

/** What is pending was pushed, confirmed or refused: receipts may be others now. */
export interface CommandsMoved {
  readonly type: 'moved';
}

/** What was confirmed after a position is confirmed no more: a server was put back. */
export interface SetBack {
  readonly type: 'set-back';
  readonly position: number;
}

/** All row changes between two positions, of the projections that the page mirrors, or of the windows of one of them. */
export interface Patch {
  readonly type: 'patch';
  /** Position that the rows must be at; a mirror that is elsewhere asks for a snapshot. */
  readonly from: number;
  /** May be before `from` where what was pending was put into another order. */
  readonly to: number;
  readonly isRebase?: true;
  /** An entry, maybe empty, per projection or window that the patch covers; a mirror without one is not moved. */
  readonly changes: { readonly [mirror: string]: readonly (RowChange | WindowChange)[] };
  /** Of the windows whose end is another one than before. */
  readonly ends?: { readonly [window: string]: WindowEnd };
}

/**
 * A change of a query's window: a row that left (`null`), or one that came, moved or changed and now stands at `place`.
 * Those that left come first, the others in order of place: put in one after the other, each stands where it belongs.
 */
export interface WindowChange extends RowChange {
  readonly place?: number;
}

/** What is known of the rows behind a window. */
export interface WindowEnd {
  /** Where they begin; undefined where there are none. */
  readonly next?: Cursor;
  /** How many rows the query has in all, where it asks. */
  readonly total?: number;
}

/** All rows of a projection, in pieces that follow one another at once: a page stays responsive while it takes them. */
export interface MirrorSnapshot {
  readonly type: 'snapshot';
  /** Its name; or the id of a window. */
  readonly projection: string;
  readonly position: number;
  /** Whether these rows do not move until newer ones, which are being built, take their place. */
  readonly isBehind: boolean;
  readonly rows: readonly (readonly [key: string, row: unknown])[];
  readonly isFirst: boolean;
  readonly isLast: boolean;
  /** Of a window. */
  readonly end?: WindowEnd;
}

/** How far a long list of commands has come. */
export interface Progress {
  readonly type: 'progress';
  readonly callId: string;
  readonly done: number;
  readonly total: number;
}

/** What is wrong or under way at the moment; sent when it changes. */
export interface EngineReport {
  readonly type: 'report';
  readonly failure?: Failure;
  readonly projections: readonly ProjectionStatus[];
  readonly unreadable: readonly UnreadableType[];
  readonly consumers: readonly ConsumerStatus[];
  /** Absent without sync. */
  readonly sync?: SyncStatus;
}

/** What was withdrawn: nothing of it is in the log any more, and nothing of it is lost. Plain data. */
export interface RefusedCommit {
  readonly commandId: string;
  readonly reason: SyncReason;
  /** What the domain said no with, when it was decided again. */
  readonly rejection?: Rejection;
  /** Milliseconds since 1970. */
  readonly refusedAt: number;
  /** The events that had been saved. */
  readonly commit: SyncCommit;
  /** What had been asked; absent of commits that were saved before the app had sync. */
  readonly request?: ExecuteRequest;
}

/** How far a reactor or a process is, and what keeps it. */
export interface ConsumerStatus {
  readonly name: string;
  readonly kind: 'reactor' | 'process';
  /** Whether it runs in this tab; otherwise another one has it, and how far it is may be older than the rest. */
  readonly isRunning: boolean;
  /** Position that it is done up to. */
  readonly position: number;
  /** Events that it has not looked at yet. */
  readonly lag: number;
  /** What it failed with the last time, where it waits for the next attempt. */
  readonly failure?: { readonly text: string; readonly attempts: number; readonly nextAttemptAt: number };
  /** The last command of a process that the domain said no to. */
  readonly rejection?: string;
}

/** A projection that is behind, or has left something out. */
export interface ProjectionStatus {
  readonly projection: string;
  /** Events that are stored and not in the rows that are shown. */
  readonly lag: number;
  /** How many events its handlers threw on. They are left out of its rows; the projection went on. */
  readonly quarantined: number;
  /** Of the first of them. */
  readonly errors: readonly ProjectionError[];
  /** New rows are being built beside those that are shown: up to which position of how many. */
  readonly building?: { readonly done: number; readonly total: number };
}

export interface ProjectionError {
  readonly projection: string;
  readonly position: number;
  readonly eventType: string;
  readonly text: string;
}

/** Stored events that this build of the app cannot read, by type and version. They are kept, and shown by a build that can. */
export interface UnreadableType {
  readonly eventType: string;
  readonly version: number;
  readonly count: number;
  /** Of the first of them. */
  readonly text: string;
}

/** Tells builds apart that cannot work together: names and versions of everything that both sides know. */
export function appSignature(app: App): string {
  const aggregates = [...app.aggregates.values()].map(({ name, commandNames }) => `${name}(${commandNames.join(' ')})`);
  const projections = [...app.projections.values()].map(({ name, version }) => `${name}@${version}`);
  const decisions = [...app.decisions.keys()].map((name) => `${name}!`);
  return [`protocol 1`, app.name, ...aggregates, ...projections, ...decisions].join(' ');
}
