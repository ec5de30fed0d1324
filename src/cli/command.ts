import type { Terminal } from './terminal.ts';

/** 0: fine. 1: a check failed, or something broke. 2: the command line is wrong. */
export type ExitCode = 0 | 1 | 2;

/** One thing that `varve` can do. */
export interface CliCommand {
  /** The words after `varve`. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What `--help` says. */
  readonly help: string;
  /** Throws `UsageError` where the arguments are wrong. */
  run(args: readonly string[], terminal: Terminal): Promise<ExitCode>;
}
