import type { SyncEnv } from '../protocol/sync-host.ts';

/** How long to wait before the next attempt. */
export interface Backoff {
  /** Milliseconds; longer on average from call to call. `after` is what the server asked for, overlooked if not finite. */
  next(after?: number): number;
  reset(): void;
}

const baseMs = 1_000;
const capMs = 300_000;
/** The draw may be 0: even then a server that is down is not asked at once. */
const floorMs = 250;
/** A server that says more is not believed: timers cannot count much further. */
const maxAfterMs = 3_600_000;

/**
 * Full jitter: a draw between 0 and a ceiling that doubles. Clients that were thrown out together come back spread out,
 * with fewer requests in all than any smaller jitter needs (M. Brooker, "Exponential Backoff And Jitter", AWS
 * Architecture Blog, 2015).
 */
export function createBackoff(env: Pick<SyncEnv, 'random'>): Backoff {
  let attempt = 0;
  return {
    next: (after) => {
      const ceiling = Math.min(capMs, baseMs * 2 ** attempt);
      attempt += 1;
      if (after === undefined || !Number.isFinite(after)) return Math.max(floorMs, env.random() * ceiling);
      // All that were told the same wait must not come back in the same moment either.
      return Math.max(floorMs, Math.min(maxAfterMs, after)) + env.random() * baseMs;
    },
    reset: () => {
      attempt = 0;
    },
  };
}
