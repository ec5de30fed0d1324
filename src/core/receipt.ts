import type { Failure } from './errors.ts';
import type { InvalidInput, Rejection } from './rejection.ts';

/**
 * The answer to `execute`: plain data, one of three.
 *
 * With sync, what was saved will move on (`pushed`, then `confirmed` or `refused`): who shows what became of a command by
 * `status` does well to have a branch for one that it does not know.
 */
export type Receipt<Refusal extends Rejection = Rejection> = Saved | Rejected<Refusal> | Failed;

/** A command that was sent and is not answered yet. */
export interface Sending {
  readonly status: 'sending';
  readonly commandId: string;
}

/** The events are on disk, and every mirror of this page shows them. */
export interface Saved {
  readonly status: 'saved';
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
