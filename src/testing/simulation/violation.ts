/**
 * What must hold of every run.
 *
 * - `lost`: what was saved is in the end on the server, or kept as refused, with a reason, where it was saved.
 * - `doubled`: it is there once, and nothing that nobody sent.
 * - `diverged`: every device has the server's log, and shows the rows that follow from it.
 * - `torn`: commits are whole, wherever they are read.
 * - `author-order`: commits of one client are in the order in which they were saved.
 * - `rules`: what the domain promises holds in the server's order.
 * - `principal`: nothing was pushed with somebody else's token.
 * - `quiescent`: it comes to rest, says so, and knows when it will look again.
 * - `chain`: every digest and order hash is what it is computed to be.
 * - `bug`: something threw that should not have.
 */
export type Invariant =
  | 'lost'
  | 'doubled'
  | 'diverged'
  | 'torn'
  | 'author-order'
  | 'rules'
  | 'principal'
  | 'quiescent'
  | 'chain'
  | 'bug';

export interface Violation {
  readonly invariant: Invariant;
  readonly text: string;
}

export interface Counts {
  crashes: number;
  clones: number;
  rollbacks: number;
  restores: number;
  /** Commits that users were told of, and commands that the domain said no to. */
  saved: number;
  rejected: number;
}
