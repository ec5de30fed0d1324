/** Where time and chance come in: the core, the log and the engine read no clock and draw no number on their own. */
export interface Env {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A new random id of 128 bits. */
  readonly newId: () => string;
}
