import type { SyncCommit } from '../protocol/sync-commit.ts';

/** A commit as its author wrote it, which a log can hold to the letter: `checkCommit` makes it. */
export interface CheckedCommit {
  readonly commit: SyncCommit;
  /** Of its events, in order. */
  readonly contents: readonly CheckedContent[];
  readonly digest: Uint8Array;
}

/** What an event holds, as a log stores it: frozen, with its canonical text. */
export interface CheckedContent {
  readonly text: string;
  readonly data: unknown;
  readonly tags: readonly string[] | undefined;
}
