import type { App } from '../../core/app.ts';
import type { Env } from '../../core/env.ts';
import type { RecordedEvent } from '../../core/events.ts';
import type { Receipt } from '../../core/receipt.ts';
import type { Upcaster } from '../../core/upcast.ts';
import type { CheckpointStore, DueDeadline, Instance } from '../../log/checkpoint-store.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { ExecuteRequest } from '../../protocol/engine-api.ts';

/** What consumers run on. */
export interface ConsumerTools {
  readonly app: App;
  readonly env: Env;
  readonly log: EventLog;
  /** Why this build of the app cannot read an event that the log gave. */
  readonly whyUnreadable: Upcaster['whyUnreadable'];
  /** Sends a request as those of the page are sent. */
  readonly execute: (request: ExecuteRequest) => Promise<Receipt>;
  /** Told when the status may have changed. */
  readonly onChange: () => void;
  /** Told what a consumer failed with: where it is the storage, not only this consumer is concerned. */
  readonly onError: (error: unknown) => void;
}

/** What a reactor or a process does; what it throws is tried again. */
export interface ConsumerWork {
  /** Takes events, oldest first, and saves how far it came. */
  take(events: readonly RecordedEvent[], progress: Progress): Promise<void>;
  /** The deadline that is due first. */
  nextDeadline(store: CheckpointStore): Promise<DueDeadline | undefined>;
  fire(deadline: DueDeadline, progress: Progress): Promise<void>;
}

/** How a piece of work tells what it does. */
export interface Progress {
  /** Position that everything is done up to. */
  readonly position: number;
  readonly signal: AbortSignal;
  /** Named where it fails. */
  begin(what: string): void;
  /** In the order asked, as they are at this position. Throws where another worker has saved meanwhile. */
  load(keys: readonly string[]): Promise<readonly (Instance | undefined)[]>;
  /** Throws where another worker has saved meanwhile. */
  save(position: number, instances?: readonly Instance[]): Promise<void>;
  /** Shown in the status. */
  noteRejection(text: string): void;
}

/** Calls `run` later by the timers of the environment, or the platform's. @returns how to call it off. */
export function callLater({ callLater: given }: Env, run: () => void, delayMs: number): () => void {
  if (given !== undefined) return given(run, delayMs);
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
}
