/** Where time and chance come in: the core, the log and the engine read no clock and draw no number on their own. */
export interface Env {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A new random id of 128 bits. */
  readonly newId: () => string;
  /**
   * Calls `run` once after some time, unless the returned function is called before; the platform's timers where it is
   * left out. May be late: who waits for a time looks at the clock.
   */
  readonly callLater?: (run: () => void, delayMs: number) => () => void;
}
