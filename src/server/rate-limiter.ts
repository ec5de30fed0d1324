/** A bucket that fills by the second: `take` says how many milliseconds to wait, 0 where it is granted. */
export interface RateLimiter {
  take(key: string, amount?: number): number;
}

/**
 * Counts for each key. What is granted may overdraw the bucket, so that one large push is never refused for ever.
 *
 * Buckets that are full again are forgotten.
 */
export function createRateLimiter(perSecond: number, burst: number, now: () => number): RateLimiter {
  const buckets = new Map<string, { tokens: number; at: number }>();

  function forgetFull(time: number): void {
    for (const [key, { tokens, at }] of buckets) {
      if (tokens + ((time - at) / 1_000) * perSecond >= burst) buckets.delete(key);
    }
  }

  return {
    take: (key, amount = 1) => {
      const time = now();
      if (buckets.size >= maxBuckets) forgetFull(time);
      const bucket = buckets.get(key) ?? { tokens: burst, at: time };
      // A clock that jumps back takes nothing away.
      const passed = Math.max(0, time - bucket.at) / 1_000;
      bucket.tokens = Math.min(burst, bucket.tokens + passed * perSecond);
      bucket.at = time;
      buckets.set(key, bucket);
      if (bucket.tokens <= 0) return Math.max(1, Math.ceil(((1 - bucket.tokens) / perSecond) * 1_000));
      bucket.tokens -= amount;
      return 0;
    },
  };
}

const maxBuckets = 10_000;
