import type { EventFilter } from '../../core/event-query.ts';
import type { RecordedEvent } from '../../core/events.ts';
import type { EventLog } from '../../log/event-log.ts';
import { assertEqual } from '../assert.ts';
import type { ConformanceCases } from './conformance-case.ts';
import { followLog } from './follow-log.ts';
import { append, pause, readAll } from './log-access.ts';
import { commitOf, filterOf } from './sample-commits.ts';

/** Listeners hear that the log may have grown. Only speed depends on it, so they may hear it too often. */
export const growthCases: ConformanceCases = {
  'tells listeners that the log has grown': async ({ log }) => {
    await assertTold(log, log);
  },

  'tells listeners of appends through another opening of the same storage': async ({ log, open, sharesGrowth }) => {
    const other = await open();
    // Without a channel there is nothing to hear; each opening must still tell its own listeners.
    await assertTold(sharesGrowth ? other : log, log);
    await assertTold(sharesGrowth ? log : other, other);
  },

  'tells of events only as they are stored': async ({ log, open, sharesGrowth }) => {
    const other = sharesGrowth ? await open() : log;
    const told: RecordedEvent[] = [];
    let calls = 0;
    const stop = other.onGrowth((_head, events) => {
      calls += 1;
      told.push(...events);
    });
    for (const round of [1, 2, 3]) {
      const before = calls;
      await append(log, commitOf(`c${round}`, ['a-1', 'b-1']));
      await until(() => calls > before, `a listener was told of append ${round}`);
    }
    await pause(50);
    stop();
    const stored = await readAll(log);
    for (const event of told) assertEqual(event, stored[event.position - 1], `the event told of at ${event.position}`);
  },

  'is followed from a position on without a gap, while it grows': async ({ log, open, sharesGrowth }) => {
    const other = sharesGrowth ? await open() : log;
    for (const round of [1, 2, 3]) await append(log, commitOf(`before-${round}`, ['a-1', 'b-1']));
    const stop = new AbortController();
    const seen: RecordedEvent[] = [];
    const rare: RecordedEvent[] = [];
    const follow = async (into: RecordedEvent[], filter: EventFilter, after: number) => {
      for await (const page of followLog(other, filter, { after, signal: stop.signal })) into.push(...page);
    };
    const following = Promise.all([follow(seen, {}, 3), follow(rare, { stream: 'rare-1' }, 0)]);
    for (let round = 1; round <= 20; round += 1) {
      await append(log, commitOf(`after-${round}`, round % 5 === 0 ? ['rare-1'] : ['a-1', 'b-1']));
      // Also in the middle of a read.
      if (round % 3 === 0) await pause(round % 2);
    }
    const all = await readAll(log);
    await until(() => seen.length >= all.length - 3 && rare.length >= 4, 'the subscriptions came to the end');
    stop.abort();
    await following;
    assertEqual(seen, all.slice(3), 'what was followed from position 4 on');
    assertEqual(rare, filterOf(all, { stream: 'rare-1' }), 'what was followed of one stream');
  },

  'tells every listener, until it is unsubscribed': async ({ log }) => {
    const heard: string[] = [];
    const stop = log.onGrowth(() => heard.push('first'));
    const stopOther = log.onGrowth(() => heard.push('second'));
    await append(log, commitOf('c1', ['a-1']));
    await until(() => heard.includes('first') && heard.includes('second'), 'both listeners were told');
    // Again does no harm, and not to the other.
    stop();
    stop();
    heard.length = 0;
    await append(log, commitOf('c2', ['a-1']));
    await until(() => heard.includes('second'), 'the other listener was told');
    assertEqual(heard.includes('first'), false, 'the unsubscribed listener was told');
    stopOther();
  },
};

async function assertTold(listening: EventLog, writing: EventLog): Promise<void> {
  let told = 0;
  const stop = listening.onGrowth(() => {
    told += 1;
  });
  const start = await writing.head();
  for (const round of [1, 2, 3]) {
    const before = told;
    await append(writing, commitOf(`c${start + round}`, ['a-1']));
    await until(() => told > before, `a listener was told of append ${round}`);
  }
  stop();
  const before = told;
  await append(writing, commitOf(`c${start + 4}`, ['a-1']));
  await pause(100);
  assertEqual(told, before, 'calls of a listener after it was unsubscribed');
}

async function until(holds: () => boolean, what: string): Promise<void> {
  for (let waitedMs = 0; !holds(); waitedMs += 5) {
    if (waitedMs >= 2000) throw new Error(`expected that ${what} within two seconds`);
    await pause(5);
  }
}
