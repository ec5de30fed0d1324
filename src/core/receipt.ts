import type { Failure } from './errors.ts';
import type { InvalidInput, Rejection } from './rejection.ts';

/** The answer to `execute`: plain data, one of three. With sync, what was saved moves on: see `CommandState`. */
export type Receipt<Refusal extends Rejection = Rejection> = Saved | Rejected<Refusal> | Failed;

/** What became of a command until now: with sync, `saved` moves on to `pushed`, and then to `confirmed` or `refused`. */
export type CommandState<Refusal extends Rejection = Rejection> =
  | Sending
  | Receipt<Refusal>
  | Pushed
  | Confirmed
  | Refused;

/** A command that was sent and is not answered yet. */
export interface Sending {
  readonly status: 'sending';
  readonly commandId: string;
}

/** The events are on disk, and every mirror of this page shows them. */
export interface Saved extends Stored {
  readonly status: 'saved';
}

/** A server has said that it has the events; they are not in its order here yet. */
export interface Pushed extends Stored {
  readonly status: 'pushed';
}

/** The events are in the server's order: they stand there for every device, and never move again. */
export interface Confirmed extends Stored {
  readonly status: 'confirmed';
}

export interface Stored {
  readonly commandId: string;
  /** The stream that the (first) command was sent to. */
  readonly stream: string;
  /** Its revision after this commit; −1 where it has no event. */
  readonly revision: number;
  /** Position of the last event of the commit; of the log's last event where nothing was decided. */
  readonly position: number;
  /** How many events were stored; 0 where the decision was empty. */
  readonly events: number;
}

/** The domain said no; nothing was stored. */
export interface Rejected<Refusal extends Rejection = Rejection> {
  readonly status: 'rejected';
  readonly commandId: string;
  readonly rejection: Refusal | InvalidInput;
  /** Which of several commands said no, from 0. */
  readonly command: number;
}

/**
 * The world said no; nothing was stored. Except after `engine.stopped`, and a `storage.failed` whose text says so: there
 * nobody knows, and sending the command again with its id is safe.
 */
export interface Failed {
  readonly status: 'failed';
  readonly commandId: string;
  readonly failure: Failure;
}

/**
 * What had been saved was withdrawn: a server will not take it, or what others had saved before it leaves no room for it.
 * Its events are in no projection any more; what it said is kept (`Client.readRefused`).
 */
export interface Refused {
  readonly status: 'refused';
  readonly commandId: string;
  /**
   * `code` is that of the domain's rejection, of the server's policy, or `NOTHING_LEFT` where it had nothing left to do.
   */
  readonly reason: { readonly code: string; readonly text: string };
  /** What the domain said no with when it was decided again. */
  readonly rejection?: Rejection;
  /** Milliseconds since 1970. */
  readonly refusedAt: number;
}
