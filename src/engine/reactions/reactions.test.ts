import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createClient } from '../../client/client.ts';
import { defineAggregate } from '../../core/aggregate.ts';
import { command } from '../../core/command.ts';
import { FailureError } from '../../core/errors.ts';
import type { RecordedEvent } from '../../core/events.ts';
import { defineProcess, type Process } from '../../core/process.ts';
import { defineReactor } from '../../core/reactor.ts';
import type { EventLog, NewCommit } from '../../log/event-log.ts';
import { createMemoryEventLog } from '../../log/memory-event-log.ts';
import { day, hour, mailBy, Order, OrderEvents, Orders, Payment, shopWith } from '../../testing/fixtures/shop-app.ts';
import { createInProcessWorker } from '../../testing/in-process-worker.ts';
import { createTestClient, type TestClient } from '../../testing/test-client.ts';
import { type Exclusively, openReactions } from './reactions.ts';

async function eventsOf({ client }: TestClient): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const event of client.read()) events.push(event);
  return events;
}

async function historyOf(shop: TestClient, id: string): Promise<readonly string[] | undefined> {
  await shop.settle();
  const orders = shop.client.mirror(Orders);
  await orders.ready;
  return orders.rows.get(id)?.history;
}

function consumerOf({ client }: TestClient, name: string) {
  return client.status.getState().consumers.find((consumer) => consumer.name === name);
}

function placedBy(commandId: string): NewCommit {
  const events = [{ stream: 'order-a', type: 'Placed', version: 1, data: { price: 1 } }];
  return { commandId, correlationId: commandId, recordedAt: 0, events };
}

/** Locks as a browser has them, among the workers of this process. */
function createLocks(): Exclusively {
  let last: Promise<void> = Promise.resolve();
  return (_name, work, signal) => {
    const turn = last.then(() => (signal.aborted ? undefined : work()));
    last = turn.catch(() => undefined);
    return turn;
  };
}

/** The mails that are sent, as many tries as it takes. */
function createMailbox(fails: (tries: number) => boolean = () => false) {
  const sent: string[] = [];
  let tries = 0;
  const send = (id: string) => {
    tries += 1;
    if (fails(tries)) throw new Error('offline');
    sent.push(id);
  };
  return {
    sent,
    send,
    get tries() {
      return tries;
    },
  };
}

describe('a reactor', () => {
  it('hears of events once they are stored, in order, each once', async () => {
    const mails = createMailbox();
    const shop = createTestClient(shopWith([mailBy(mails.send)], []));
    await shop.client.execute(Order, 'a', 'place', { price: 5 }, { commandId: 'c1' });
    await shop.client.execute([command(Order, 'a', 'remind', {}), command(Order, 'a', 'pay', {})], { commandId: 'c2' });
    await shop.settle();
    expect(mails.sent).toEqual(['c1.0', 'c2.0', 'c2.1']);
    expect(consumerOf(shop, 'mail')).toEqual({ name: 'mail', kind: 'reactor', isRunning: true, position: 3, lag: 0 });
    await shop.close();
  });

  it('leaves alone what was stored before it was there, unless it starts at the beginning', async () => {
    const log = createMemoryEventLog();
    const before = createTestClient(shopWith([], []), { log });
    await before.client.execute(Order, 'a', 'place', { price: 5 }, { commandId: 'old' });
    await before.close();
    const [late, early] = [createMailbox(), createMailbox()];
    const mails = [mailBy(late.send), mailBy(early.send, 'beginning', 'archive')];
    const shop = createTestClient(shopWith(mails, []), { log });
    // The first command of the worker that starts it is its business already.
    await shop.client.execute(Order, 'b', 'place', { price: 5 }, { commandId: 'new' });
    await shop.settle();
    expect(late.sent).toEqual(['new.0']);
    expect(early.sent).toEqual(['old.0', 'new.0']);
    await shop.close();
  });

  it('repeats nothing when the app starts again, and nothing when projections are rebuilt', async () => {
    const mails = createMailbox();
    const shop = createTestClient(shopWith([mailBy(mails.send)], []));
    await shop.client.execute(Order, 'a', 'place', { price: 5 }, { commandId: 'c1' });
    await shop.settle();
    await shop.reload();
    await shop.client.rebuild();
    await shop.client.execute(Order, 'b', 'place', { price: 5 }, { commandId: 'c2' });
    await shop.reload();
    expect(mails.sent).toEqual(['c1.0', 'c2.0']);
    await shop.close();
  });

  it('is tried again later and later, keeps nobody else from work, and says so until it succeeds', async () => {
    const [failing, other] = [createMailbox((tries) => tries <= 4), createMailbox()];
    const shop = createTestClient(shopWith([mailBy(failing.send), mailBy(other.send, 'end', 'other')]));
    await shop.client.execute(Order, 'a', 'place', { price: 5 }, { commandId: 'c1' });
    await shop.settle();
    expect(await historyOf(shop, 'a')).toEqual(['placed', 'reminded']);
    expect(other.sent).toHaveLength(2);
    expect(consumerOf(shop, 'other')).not.toHaveProperty('failure');
    for (const [attempts, longest] of [1_000, 2_000, 4_000, 8_000].entries()) {
      const { failure, lag } = consumerOf(shop, 'mail') ?? {};
      expect(lag).toBe(2 + attempts);
      expect(failure).toMatchObject({ attempts: attempts + 1 });
      expect(failure?.text).toContain('The reactor "mail" failed on the "Placed" event at position 1: Error: offline');
      const waitMs = (failure?.nextAttemptAt ?? 0) - shop.clock.now;
      expect(waitMs).toBeGreaterThanOrEqual(longest / 2);
      expect(waitMs).toBeLessThanOrEqual(longest);
      // New events are no reason to try earlier.
      await shop.client.execute(Order, 'a', 'remind', {});
      await shop.clock.advance(waitMs - 1);
      expect(failing.tries).toBe(attempts + 1);
      await shop.clock.advance(1);
      expect(failing.tries).toBeGreaterThan(attempts + 1);
    }
    expect(failing.sent).toEqual(other.sent);
    expect(consumerOf(shop, 'mail')).toEqual({ name: 'mail', kind: 'reactor', isRunning: true, position: 6, lag: 0 });
    await shop.close();
  });

  it('waits five minutes at most between two attempts', async () => {
    const mails = createMailbox((tries) => tries < 20);
    const shop = createTestClient(shopWith([mailBy(mails.send)], []));
    await shop.client.execute(Order, 'a', 'place', { price: 5 });
    await shop.clock.advance(hour);
    expect(mails.tries).toBeGreaterThan(18);
    await shop.clock.advance(hour);
    expect(mails.sent).toHaveLength(1);
    await shop.close();
  });

  it('is tried again when its time has passed, also where the clock is set back meanwhile', async () => {
    const mails = createMailbox((tries) => tries === 1);
    const log = createMemoryEventLog();
    let now = day;
    let endWait = () => {};
    const callLater = (run: () => void) => {
      endWait = run;
      return () => undefined;
    };
    const reactions = await openReactions({
      app: shopWith([mailBy(mails.send)], []),
      env: { now: () => now, newId: () => 'id', callLater },
      log,
      whyUnreadable: () => undefined,
      execute: () => Promise.reject(new Error('not asked')),
      onChange: () => undefined,
      onError: () => undefined,
    });
    reactions.start();
    await log.write((transaction) => transaction.append(placedBy('c1')));
    await expect.poll(() => reactions.status[0]?.failure?.attempts).toBe(1);
    now -= day;
    endWait();
    await expect.poll(() => mails.sent).toEqual(['c1.0']);
    reactions.stop();
  });

  it('is told by its signal when the worker ends, and gets the event again', async () => {
    let aborted = 0;
    let calls = 0;
    const waits = (_id: string, { signal }: { readonly signal: AbortSignal }) => {
      calls += 1;
      if (calls > 1) return undefined;
      return new Promise((_resolve, fail) => {
        signal.addEventListener('abort', () => {
          aborted += 1;
          fail(signal.reason);
        });
      });
    };
    const shop = createTestClient(shopWith([mailBy(waits)], []));
    await shop.client.execute(Order, 'a', 'place', { price: 5 });
    await expect.poll(() => calls).toBe(1);
    await shop.reload();
    expect([aborted, calls]).toEqual([1, 2]);
    await shop.close();
  });

  it('gives an event again that was done but not noted when the worker ended', async () => {
    const mails = createMailbox();
    const memory = createMemoryEventLog();
    let isBroken = true;
    const log: EventLog = {
      ...memory,
      openCheckpoints: async () => {
        const store = await memory.openCheckpoints();
        return {
          ...store,
          save: (consumer, change) =>
            isBroken && change.turn > 1 ? new Promise<never>(() => undefined) : store.save(consumer, change),
        };
      },
    };
    const shop = createTestClient(shopWith([mailBy(mails.send)], []), { log });
    await shop.client.execute(Order, 'a', 'place', { price: 5 }, { commandId: 'c1' });
    await expect.poll(() => mails.sent).toEqual(['c1.0']);
    isBroken = false;
    await shop.reload();
    expect(mails.sent).toEqual(['c1.0', 'c1.0']);
    await shop.close();
  });

  it('sends commands that name the event as their cause, and the same ones once however often it runs', async () => {
    let runs = 0;
    const Mail = mailBy(async (id, { execute }) => {
      if (id !== 'c1.0') return;
      runs += 1;
      await execute(command(Order, 'log', 'remind', {}));
      await execute(command(Order, 'log', 'remind', {}));
      await execute([command(Order, 'log', 'place', { price: runs })], { commandId: 'own' });
      const receipt = await execute(command(Order, 'log', 'cancel', { why: `run ${runs}` }));
      if (runs < 3) throw new Error(receipt.status);
    });
    const shop = createTestClient(shopWith([Mail], []));
    await shop.client.execute(Order, 'a', 'place', { price: 5 }, { commandId: 'c1', correlationId: 'root' });
    await shop.clock.advance(hour);
    expect(runs).toBe(3);
    const [placed, ...caused] = await eventsOf(shop);
    expect(caused.map(({ type }) => type)).toEqual(['Reminded', 'Reminded', 'Placed', 'Cancelled']);
    for (const { meta } of caused) expect(meta).toMatchObject({ causationId: placed?.id, correlationId: 'root' });
    await shop.close();
  });
});

describe('consumers', () => {
  it('start where the log was when they were first there, also where the worker that saw it never ran them', async () => {
    const log = createMemoryEventLog();
    const mails = createMailbox();
    const app = shopWith([mailBy(mails.send)], []);
    const never = () => new Promise<never>(() => undefined);
    const first = createClient(app, () => createInProcessWorker({ app, log, exclusively: never }));
    await first.execute(Order, 'a', 'place', { price: 5 }, { commandId: 'c1' });
    expect(first.status.getState().consumers).toMatchObject([{ name: 'mail', isRunning: false, position: 0 }]);
    await first.close();
    expect(mails.sent).toEqual([]);
    const second = createTestClient(app, { log });
    await second.settle();
    expect(mails.sent).toEqual(['c1.0']);
    await second.close();
  });

  it('run where the lock is, and go on in another tab when that one is closed', async () => {
    const log = createMemoryEventLog();
    const mails = createMailbox();
    const app = shopWith([mailBy(mails.send)]);
    const exclusively = createLocks();
    const open = () =>
      createClient(app, () => createInProcessWorker({ app, log, exclusively }), { askToPersist: false });
    const [one, two] = [open(), open()];
    await one.execute(Order, 'a', 'place', { price: 5 });
    await two.execute(Order, 'b', 'place', { price: 5 });
    await expect.poll(() => mails.sent.length).toBe(4);
    const running = () =>
      [one, two].map(({ status }) => status.getState().consumers.every(({ isRunning }) => isRunning));
    expect(running()).toEqual([true, false]);
    await one.close();
    await two.execute(Order, 'c', 'place', { price: 5 });
    await expect.poll(() => mails.sent.length).toBe(6);
    await expect.poll(() => running()[1]).toBe(true);
    expect(new Set(mails.sent).size).toBe(6);
    await two.close();
  });

  it('are not set back by a look at the checkpoint that began before they ran', async () => {
    const memory = createMemoryEventLog();
    const app = shopWith([mailBy(() => undefined)], []);
    let releaseLook = () => {};
    let grant = () => {};
    const granted = new Promise<void>((resolve) => (grant = resolve));
    let loads = 0;
    const log: EventLog = {
      ...memory,
      openCheckpoints: async () => {
        const store = await memory.openCheckpoints();
        const load = async (consumer: string) => {
          loads += 1;
          const found = await store.load(consumer);
          if (loads === 2) await new Promise<void>((resolve) => (releaseLook = resolve));
          return found;
        };
        return { ...store, load };
      },
    };
    const reactions = await openReactions({
      app,
      env: { now: () => 0, newId: () => 'id' },
      log,
      whyUnreadable: () => undefined,
      execute: () => Promise.reject(new Error('not asked')),
      exclusively: (_name, work) => granted.then(work),
      onChange: () => undefined,
      onError: () => undefined,
    });
    reactions.start();
    reactions.wake();
    await expect.poll(() => loads).toBe(2);
    await memory.write((transaction) => transaction.append(placedBy('c1')));
    grant();
    await expect.poll(() => reactions.status[0]?.position).toBe(1);
    releaseLook();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(reactions.status).toMatchObject([{ isRunning: true, position: 1, lag: 0 }]);
    reactions.stop();
  });

  it('ask for a lock that is refused again and again, and leave nothing behind of each time', async () => {
    const signals: AbortSignal[] = [];
    const waits: (() => void)[] = [];
    const reactions = await openReactions({
      app: shopWith([], []),
      env: {
        now: () => 0,
        newId: () => 'id',
        callLater: (run) => {
          waits.push(run);
          return () => undefined;
        },
      },
      log: createMemoryEventLog(),
      whyUnreadable: () => undefined,
      execute: () => Promise.reject(new Error('not asked')),
      exclusively: (_name, _work, signal) => {
        signals.push(signal);
        return Promise.reject(new Error('refused'));
      },
      onChange: () => undefined,
      onError: () => undefined,
    });
    reactions.start();
    for (let times = 1; times <= 3; times += 1) {
      await expect.poll(() => waits.length).toBe(times);
      waits.at(-1)?.();
    }
    await expect.poll(() => signals.length).toBe(4);
    expect(getEventListeners(signals[0] as AbortSignal, 'abort').length).toBeLessThanOrEqual(1);
    reactions.stop();
  });

  it('say that the log cannot be read, and no longer when it can', async () => {
    const memory = createMemoryEventLog();
    let failures = 1;
    const log: EventLog = {
      ...memory,
      read: (query) => {
        if (query.from !== 1 || query.to !== 1 || failures === 0) return memory.read(query);
        failures -= 1;
        throw new FailureError({ type: 'storage.failed', text: 'The disk is slow today.' });
      },
    };
    const Quiet = defineReactor('quiet', { from: [OrderEvents], on: { Paid: () => undefined } });
    const shop = createTestClient(shopWith([Quiet], []), { log });
    await shop.client.execute(Order, 'a', 'place', { price: 5 });
    await shop.settle();
    const text = 'The reactor "quiet" failed while it read the log: FailureError: The disk is slow today.';
    expect(consumerOf(shop, 'quiet')?.failure?.text).toContain(text);
    await shop.clock.advance(1_000);
    expect(consumerOf(shop, 'quiet')).toMatchObject({ position: 1, lag: 0 });
    expect(consumerOf(shop, 'quiet')).not.toHaveProperty('failure');
    await shop.close();
  });

  it('take a log that has lost its end for what is left of it', async () => {
    const mails = createMailbox();
    const log = createMemoryEventLog();
    const store = await log.openCheckpoints();
    await store.save('mail', { position: 7, turn: 1 });
    const shop = createTestClient(shopWith([mailBy(mails.send)], []), { log });
    await shop.client.execute(Order, 'a', 'place', { price: 5 }, { commandId: 'c1' });
    await shop.settle();
    expect(mails.sent).toEqual(['c1.0']);
    await shop.close();
  });
});

describe('a process', () => {
  it('answers events with commands that name them as their cause', async () => {
    const shop = createTestClient(shopWith());
    await shop.client.execute(Order, 'a', 'place', { price: 5 }, { commandId: 'c1', correlationId: 'root' });
    await shop.settle();
    expect((await eventsOf(shop)).map(({ type, meta }) => ({ type, ...meta }))).toEqual([
      { type: 'Placed', commandId: 'c1', correlationId: 'root', recordedAt: 0 },
      { type: 'Reminded', commandId: 'payment:c1.0:0', causationId: 'c1.0', correlationId: 'root', recordedAt: 0 },
    ]);
    await shop.close();
  });

  it('is called at its deadlines, in order and at their time', async () => {
    const shop = createTestClient(shopWith(), { now: 1_000 });
    await shop.client.execute(Order, 'a', 'place', { price: 5 }, { correlationId: 'root', commandId: 'c1' });
    await shop.clock.advance(day - 1);
    expect(await historyOf(shop, 'a')).toEqual(['placed', 'reminded']);
    await shop.clock.advance(1);
    expect(await historyOf(shop, 'a')).toEqual(['placed', 'reminded', 'reminded']);
    await shop.clock.advance(2 * day);
    expect(await historyOf(shop, 'a')).toEqual(['placed', 'reminded', 'reminded', 'cancelled: not paid']);
    const last = (await eventsOf(shop)).at(-1);
    expect(last?.meta).toMatchObject({ recordedAt: 1_000 + 3 * day, causationId: 'c1.0', correlationId: 'root' });
    await shop.close();
  });

  it('is called again where a later event sets a deadline to the time that it had', async () => {
    const Daily = defineProcess('daily', {
      from: [OrderEvents],
      initialState: () => ({}),
      // What comes after the end of the day is due at once.
      on: { Placed: () => ({ deadlines: { evening: day } }) },
      deadlines: { evening: (_state, { id }) => ({ commands: [command(Order, id, 'remind', {})] }) },
    });
    const shop = createTestClient(shopWith([], [Daily]));
    await shop.client.execute(Order, 'a', 'place', { price: 5 });
    await shop.clock.advance(day);
    await shop.client.execute(Order, 'a', 'place', { price: 6 });
    await shop.settle();
    expect(await historyOf(shop, 'a')).toEqual(['placed', 'reminded', 'placed', 'reminded']);
    await shop.close();
  });

  it('is not called at a deadline that was cancelled', async () => {
    const shop = createTestClient(shopWith());
    await shop.client.execute(Order, 'a', 'place', { price: 5 });
    await shop.clock.advance(hour);
    await shop.client.execute(Order, 'a', 'pay', {});
    await shop.clock.advance(4 * day);
    expect(await historyOf(shop, 'a')).toEqual(['placed', 'reminded', 'paid']);
    await shop.close();
  });

  it('catches up at the next start with the deadlines that fell due, in order of time, after what was stored', async () => {
    const log = createMemoryEventLog();
    const first = createTestClient(shopWith(), { log });
    for (const id of ['a', 'b', 'c']) {
      await first.client.execute(Order, id, 'place', { price: 5 });
      await first.clock.advance(1);
    }
    await first.close();
    // Paid where the process did not run.
    const other = createTestClient(shopWith([], []), { log, now: 10 * day, ids: 'other' });
    await other.client.execute(Order, 'b', 'pay', {});
    await other.close();
    const shop = createTestClient(shopWith(), { log, now: 30 * day, ids: 'later' });
    await shop.settle();
    const events = await eventsOf(shop);
    expect(events.slice(7).map(({ stream, type }) => `${stream} ${type}`)).toEqual([
      'order-a Reminded',
      'order-c Reminded',
      'order-a Cancelled',
      'order-c Cancelled',
    ]);
    expect(await historyOf(shop, 'a')).toContain('cancelled: not paid, seen later');
    await shop.reload();
    await shop.clock.advance(day);
    expect(await eventsOf(shop)).toHaveLength(11);
    await shop.close();
  });

  it('keeps deadlines over a reload', async () => {
    const shop = createTestClient(shopWith());
    await shop.client.execute(Order, 'a', 'place', { price: 5 });
    await shop.settle();
    await shop.reload();
    await shop.clock.advance(day);
    await shop.reload();
    await shop.clock.advance(2 * day);
    expect(await historyOf(shop, 'a')).toEqual(['placed', 'reminded', 'reminded', 'cancelled: not paid']);
    await shop.close();
  });

  it('waits for a deadline that is farther than timers reach', async () => {
    const at = 40 * day;
    const Slow = defineProcess('slow', {
      from: [OrderEvents],
      initialState: () => ({}),
      on: { Placed: () => ({ deadlines: { later: at } }) },
      deadlines: { later: (_state, { id }) => ({ commands: [command(Order, id, 'remind', {})] }) },
    });
    const shop = createTestClient(shopWith([], [Slow]));
    await shop.client.execute(Order, 'a', 'place', { price: 5 });
    await shop.clock.advance(at - 1);
    expect(await eventsOf(shop)).toHaveLength(1);
    await shop.clock.advance(1);
    expect(await eventsOf(shop)).toHaveLength(2);
    await shop.close();
  }, 20_000);

  it('hears of a command that was rejected, which is not tried again and is shown', async () => {
    const shop = createTestClient(shopWith());
    await shop.client.execute(Order, 'free', 'place', { price: 0 });
    await shop.settle();
    expect(await historyOf(shop, 'free')).toEqual(['placed', 'reminded', 'paid']);
    expect(consumerOf(shop, 'payment')).toMatchObject({ lag: 0, rejection: expect.stringContaining('"not-open"') });
    expect(consumerOf(shop, 'payment')).not.toHaveProperty('failure');
    const store = await shop.log.openCheckpoints();
    const { instances } = await store.loadInstances('payment', ['free']);
    expect(instances[0]).toEqual({ key: 'free', state: { reminders: 1, refusals: 1 }, deadlines: {} });
    await shop.close();
  });

  it('may answer a rejection with a command, and not for ever', async () => {
    const Stubborn = defineProcess('stubborn', {
      from: [OrderEvents],
      initialState: () => ({ tries: 0 }),
      on: { Placed: () => ({ commands: [command(Order, 'none', 'pay', {})] }) },
      onRejected: ({ tries }) => ({
        state: { tries: tries + 1 },
        commands: [tries === 3 ? command(Order, 'none', 'place', { price: 1 }) : command(Order, 'none', 'pay', {})],
      }),
    });
    const shop = createTestClient(shopWith([], [Stubborn]));
    await shop.client.execute(Order, 'a', 'place', { price: 5 }, { commandId: 'c1' });
    await shop.settle();
    const events = await eventsOf(shop);
    expect(events[1]).toMatchObject({ stream: 'order-none', meta: { causationId: 'c1.0' } });
    // The order that it placed is one more to be paid: it pays that one. Then nothing is rejected any more.
    expect(events.map(({ type }) => type)).toEqual(['Placed', 'Placed', 'Paid']);
    const Endless = defineProcess('endless', {
      from: [OrderEvents],
      initialState: () => ({}),
      on: { Placed: () => ({ commands: [command(Order, 'none', 'pay', {})] }) },
      onRejected: () => ({ commands: [command(Order, 'none', 'pay', {})] }),
    });
    const other = createTestClient(shopWith([], [Endless]));
    await other.client.execute(Order, 'a', 'place', { price: 5 });
    await other.settle();
    expect(consumerOf(other, 'endless')?.failure?.text).toContain('as were the 10 before it');
    await Promise.all([shop.close(), other.close()]);
  });

  it('tries a command again that the storage failed on, and goes on where it was', async () => {
    const memory = createMemoryEventLog();
    let failures = 3;
    const log: EventLog = {
      ...memory,
      write: async (work, options) => {
        if ((await memory.head()) > 0 && failures > 0) {
          failures -= 1;
          throw new FailureError({ type: 'storage.failed', text: 'The disk is slow today.' });
        }
        return memory.write(work, options);
      },
    };
    const shop = createTestClient(shopWith(), { log });
    await shop.client.execute(Order, 'a', 'place', { price: 5 });
    await shop.settle();
    expect(consumerOf(shop, 'payment')?.failure?.text).toContain('The disk is slow today.');
    await shop.clock.advance(hour);
    expect(await historyOf(shop, 'a')).toEqual(['placed', 'reminded']);
    expect(consumerOf(shop, 'payment')).not.toHaveProperty('failure');
    await shop.close();
  });

  it('says clearly what is wrong with an answer that cannot be followed', async () => {
    const Stranger = defineAggregate('stranger', {
      events: OrderEvents,
      initialState: () => ({}),
      evolve: {
        Placed: (state) => state,
        Reminded: (state) => state,
        Paid: (state) => state,
        Cancelled: (state) => state,
      },
      commands: {},
    });
    const answers: Record<string, Process> = {
      'a command of the aggregate "stranger", which the app "shop" does not have': defineProcess('wrong', {
        from: [OrderEvents],
        initialState: () => ({}),
        on: { Placed: () => ({ commands: [command(Stranger, 'a', 'place' as never, {} as never)] }) },
      }),
      'a deadline "never", for which it has no handler': defineProcess('wrong', {
        from: [OrderEvents],
        initialState: () => ({}),
        on: { Placed: () => ({ deadlines: { never: 5 } }) },
      }),
      'a deadline "later" at NaN': defineProcess('wrong', {
        from: [OrderEvents],
        initialState: () => ({}),
        on: { Placed: () => ({ deadlines: { later: Number.NaN } }) },
        deadlines: { later: () => undefined },
      }),
    };
    for (const [text, process] of Object.entries(answers)) {
      const shop = createTestClient(shopWith([], [process]));
      await shop.client.execute(Order, 'a', 'place', { price: 5 });
      await shop.settle();
      expect(consumerOf(shop, 'wrong')?.failure?.text).toContain(text);
      expect(await eventsOf(shop)).toHaveLength(1);
      await shop.close();
    }
  });

  it('names the event whose instance it cannot tell, and does what comes before that', async () => {
    const Keyed = defineProcess('keyed', {
      from: [OrderEvents],
      key: ({ type, stream }) => {
        if (type === 'Placed' && stream === 'order-b') throw new Error('of whom?');
        return stream;
      },
      initialState: () => ({}),
      on: { Placed: () => ({ commands: [command(Order, 'a', 'remind', {})] }) },
    });
    const shop = createTestClient(shopWith([], [Keyed]));
    await shop.client.execute([command(Order, 'a', 'place', { price: 5 }), command(Order, 'b', 'place', { price: 5 })]);
    await shop.settle();
    expect(consumerOf(shop, 'keyed')?.failure?.text).toContain('on the "Placed" event at position 2: Error: of whom?');
    expect(await historyOf(shop, 'a')).toEqual(['placed', 'reminded']);
    await shop.close();
  });

  it('is found out where it is not pure', async () => {
    let calls = 0;
    const Impure = defineProcess('impure', {
      from: [OrderEvents],
      initialState: () => ({ calls: 0 }),
      on: {
        Placed: () => {
          calls += 1;
          return { state: { calls } };
        },
      },
    });
    const shop = createTestClient(shopWith([], [Impure]));
    await shop.client.execute(Order, 'a', 'place', { price: 5 });
    await shop.settle();
    expect(consumerOf(shop, 'impure')?.failure?.text).toMatch(
      /The process "impure" answered otherwise the second time, on "Placed"/,
    );
    await shop.close();
  });

  it('forgets an instance that ended', async () => {
    const shop = createTestClient(shopWith());
    await shop.client.execute(Order, 'a', 'place', { price: 5 });
    await shop.clock.advance(3 * day);
    const store = await shop.log.openCheckpoints();
    expect((await store.loadInstances('payment', ['a'])).instances).toEqual([undefined]);
    await shop.close();
  });

  it('sends each command once, and knows each event once, where two workers run it at the same time', async () => {
    const log = createMemoryEventLog();
    const count = ({ seen }: { readonly seen: number }) => ({ state: { seen: seen + 1 } });
    const Tally = defineProcess('tally', {
      from: [OrderEvents],
      key: () => 'all',
      initialState: () => ({ seen: 0 }),
      on: { Placed: count, Reminded: count, Paid: count, Cancelled: count },
    });
    // One is slower: it would take what the other knows already for what it is to start from.
    const slow: EventLog = {
      ...log,
      openCheckpoints: async () => {
        const store = await log.openCheckpoints();
        return {
          ...store,
          loadInstances: async (consumer, keys) => {
            await new Promise((resolve) => setTimeout(resolve, 3));
            return store.loadInstances(consumer, keys);
          },
        };
      },
    };
    const shops = Object.entries({ one: log, two: slow }).map(([ids, log]) =>
      createTestClient(shopWith([], [Payment, Tally]), { log, ids }),
    );
    await Promise.all(shops.map((shop) => shop.settle()));
    const [shop] = shops as [TestClient, TestClient];
    await Promise.all(
      shops.flatMap(({ client }, tab) =>
        Array.from({ length: 20 }, (_, index) => client.execute(Order, `${tab}-${index}`, 'place', { price: 5 })),
      ),
    );
    await Promise.all(shops.map((each) => each.clock.advance(3 * day)));
    const orders = shop.client.mirror(Orders);
    await orders.ready;
    expect(orders.rows.size).toBe(40);
    for (const { history } of orders.rows.values()) expect(history).toHaveLength(4);
    const store = await log.openCheckpoints();
    expect(await store.loadInstances('tally', ['all'])).toMatchObject({ instances: [{ state: { seen: 160 } }] });
    await Promise.all(shops.map((each) => each.close()));
  });

  it('sends nothing for what another worker knew already', async () => {
    const memory = createMemoryEventLog();
    let release = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    const slow: EventLog = {
      ...memory,
      openCheckpoints: async () => {
        const store = await memory.openCheckpoints();
        return { ...store, loadInstances: (...input) => released.then(() => store.loadInstances(...input)) };
      },
    };
    const Fifth = defineProcess('fifth', {
      from: [OrderEvents],
      initialState: () => ({ placed: 0 }),
      on: {
        Placed: ({ placed }, _event, { id }) => ({
          state: { placed: placed + 1 },
          commands: placed === 4 ? [command(Order, id, 'remind', {})] : [],
        }),
      },
    });
    const sent: string[] = [];
    const open = (log: EventLog) =>
      openReactions({
        app: shopWith([], [Fifth]),
        env: { now: () => 0, newId: () => 'id' },
        log,
        whyUnreadable: () => undefined,
        execute: async ({ commandId }) => {
          sent.push(commandId);
          return { status: 'saved', commandId, stream: '', revision: 0, position: 0, events: 0 };
        },
        onChange: () => undefined,
        onError: () => undefined,
      });
    const [fast, late] = [await open(memory), await open(slow)];
    for (const id of ['c1', 'c2', 'c3']) await memory.write((transaction) => transaction.append(placedBy(id)));
    late.start();
    fast.start();
    await expect.poll(() => fast.status[0]?.position).toBe(3);
    // With what the other knows after three events, the second would be its fifth.
    release();
    await expect.poll(() => late.status[0]?.position).toBe(3);
    expect(sent).toEqual([]);
    for (const each of [fast, late]) each.stop();
  });
});

it('what another tab stores while the consumers of a worker are opened is shown all the same', async () => {
  const memory = createMemoryEventLog();
  let openStore = () => {};
  const opening = new Promise<void>((resolve) => {
    openStore = resolve;
  });
  let asked = false;
  const log: EventLog = {
    ...memory,
    openCheckpoints: async () => {
      asked = true;
      await opening;
      return memory.openCheckpoints();
    },
  };
  const Quiet = defineReactor('quiet', { from: [OrderEvents], on: { Paid: () => undefined } });
  const app = shopWith([Quiet], []);
  const client = createClient(app, () => createInProcessWorker({ app, log }), { askToPersist: false });
  const orders = client.mirror(Orders);
  await expect.poll(() => asked).toBe(true);
  await memory.write((transaction) => transaction.append(placedBy('c1')));
  openStore();
  await orders.ready;
  await expect.poll(() => orders.rows.get('a')).toEqual({ history: ['placed'] });
  await client.close();
});
