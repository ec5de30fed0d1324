import type { RecordedEvent } from '../core/events.ts';

/** What tabs tell each other over a BroadcastChannel. A hint only: whoever misses one reads the log a little later. */
export interface TabMessage {
  readonly type: 'head';
  readonly head: number;
  /** What the log grew by, where it is little. */
  readonly growth?: Growth;
}

export interface Growth {
  /** Which log of this id: an import may have put another in its place. */
  readonly generation: number;
  /** What wrote it: another build of the app may have other events. */
  readonly format: number;
  /** How many times the order had changed when the events got their positions. */
  readonly rebases: number;
  readonly events: readonly RecordedEvent[];
}

export function isTabMessage(value: unknown): value is TabMessage {
  if (typeof value !== 'object' || value === null) return false;
  const { type, head } = value as Record<string, unknown>;
  return type === 'head' && typeof head === 'number';
}
