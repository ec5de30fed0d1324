import { describe, expect, it } from 'vitest';
import { createTestClock } from '../testing/test-clock.ts';
import { createAlarm, type WakeCause } from './alarm.ts';

const minute = 60_000;

/** An alarm on a clock that can jump while timers stand still. */
function createTestAlarm() {
  const { clock, now, callLater } = createTestClock(1_700_000_000_000, () => Promise.resolve());
  let ahead = 0;
  const alarm = createAlarm({ now: () => now() + ahead, random: () => 0, callLater });
  const start = now();
  const rest = (ms: number, wokenBy: readonly WakeCause[] = ['wake']) => {
    const told: number[] = [];
    const state = { told, isOver: false };
    const options = { wokenBy, onTime: (at: number) => told.push(at - start), signal: new AbortController().signal };
    void alarm.rest(ms, options).then(() => {
      state.isOver = true;
    });
    return state;
  };
  return {
    alarm,
    clock,
    rest,
    jump: (ms: number) => {
      ahead += ms;
    },
  };
}

describe('a rest', () => {
  it('ends at its time, and says when that is', async () => {
    const { clock, rest } = createTestAlarm();
    const long = rest(5 * minute);
    await clock.advance(5 * minute - 1);
    expect(long.isOver).toBe(false);
    await clock.advance(1);
    expect(long.isOver).toBe(true);
    expect(new Set(long.told)).toEqual(new Set([5 * minute]));
  });

  it('ends soon after the device slept through its end', async () => {
    const { clock, rest, jump } = createTestAlarm();
    const long = rest(5 * minute);
    await clock.advance(10_000);
    jump(60 * minute);
    await clock.advance(minute / 2);
    expect(long.isOver).toBe(true);
  });

  it('is no longer than it was to be, where the clock is set back', async () => {
    const { clock, rest, jump } = createTestAlarm();
    const long = rest(5 * minute);
    await clock.advance(minute);
    jump(-60 * minute);
    await clock.advance(4 * minute - 1);
    expect(long.isOver).toBe(false);
    await clock.advance(1);
    expect(long.isOver).toBe(true);
  });

  it('is no longer either where the clock is set back and commands are saved that do not end it', async () => {
    const { alarm, clock, rest, jump } = createTestAlarm();
    const long = rest(minute, ['wake']);
    jump(-60 * minute);
    for (let saved = 0; saved < 6; saved += 1) {
      await clock.advance(10_000);
      alarm.hasten('pending', 300);
    }
    expect(long.isOver).toBe(true);
  });

  it('is ended by what it may be ended by, and another one by what came too early', async () => {
    const { alarm, clock, rest } = createTestAlarm();
    const first = rest(5 * minute, ['wake']);
    alarm.hasten('poke', 1_000);
    await clock.advance(minute);
    expect(first.isOver).toBe(false);
    alarm.hasten('wake', 1_000);
    await clock.advance(1_000);
    expect(first.isOver).toBe(true);
    const second = rest(5 * minute, ['poke']);
    await clock.advance(0);
    expect(second.isOver).toBe(true);
  });
});
