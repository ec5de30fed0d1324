import { describe, expect, it } from 'vitest';
import { describeRuns } from './docs.mjs';

const counts = { messages: 1_000, saved: 2, commits: 2, refused: 0, crashes: 1, restores: 1, clones: 0 };
const result = (seed, lastSeed) => ({
  ...counts,
  runs: lastSeed - seed + 1,
  rollbacks: 0,
  gone: 0,
  violations: seed === 201 ? 3 : 0,
  longestRestMs: seed * 60_000,
  seed,
  lastSeed,
});

describe('the table of simulated runs', () => {
  it('sums what several files hold, and names their seeds', () => {
    const text = describeRuns([result(1, 100), result(101, 150), result(201, 300)]);
    expect(text).toContain('Seeds 1 to 150, 201 to 300.');
    expect(text).toContain('| messages | 3,000 |');
    expect(text).toContain('| runs, each with 2 to 5 devices and what becomes of them | 250 |');
    expect(text).toContain('| longest time from the last disturbance to rest, simulated minutes | 201 |');
    expect(text).toContain('never at rest** | **3** |');
  });

  it('says at which commit they were run', () => {
    const at = (commit, from, to) => ({ ...result(from, to), commit });
    const text = describeRuns([at('a1', 1, 50), at('a1', 51, 100), at('b2', 101, 150)]);
    expect(text).toContain('Seeds 1 to 100 (at `a1`), 101 to 150 (at `b2`).');
  });

  it('counts no seed twice', () => {
    expect(() => describeRuns([result(1, 100), result(100, 200)])).toThrow('Seed 100 is in two of the files.');
  });
});
