import { describe, expect, it } from 'vitest';
import type { SyncProgress } from '../protocol/sync-host.ts';
import { createTestLocks, type TestLocks } from './fixtures/test-host.ts';
import { createTestWorld, type Line } from './fixtures/test-world.ts';
import { SyncRefusal } from './transport.ts';
import { transportSync } from './transport-sync.ts';

const minute = 60_000;

/** The routes without the streams of hints. */
const posts = (requests: readonly string[]) => requests.filter((route) => route !== 'events');

const phases = (reports: readonly SyncProgress[]) => reports.map(({ phase }) => phase);

/** Loses the answers to the first so many requests of a route; the server has obeyed them. */
function loseReplies(route: string, count: number): Line {
  let left = count;
  return async (request, pass) => {
    const response = await pass();
    if (!request.url.includes(`/sync/${route}`) || left === 0) return response;
    left -= 1;
    throw new TypeError('the line broke');
  };
}

describe('sync', () => {
  it('pushes what was saved, and confirms it when it is pulled', async () => {
    const world = createTestWorld();
    const ada = world.device('a');
    ada.save('one');
    ada.save('two');
    const { host, stop } = world.start(ada);
    await world.clock.advance(0);
    expect(await world.ids()).toEqual(['one', 'two']);
    expect([ada.ids, ada.pending]).toEqual([['one', 'two'], []]);
    expect(host.acknowledged.map(({ commandId }) => commandId)).toEqual(['one', 'two']);
    expect(posts(world.requests)).toEqual(['hello', 'push', 'pull']);
    expect(phases(host.reports)).toEqual(['syncing', 'synced']);
    expect(host.last).toMatchObject({ syncedAt: world.clock.now });
    await stop();
  });

  it('pushes soon after something is saved', async () => {
    const world = createTestWorld();
    const ada = world.device('a');
    const { stop } = world.start(ada);
    await world.clock.advance(1_000);
    ada.save('one');
    await world.clock.advance(0);
    expect(await world.ids()).toEqual(['one']);
    // What is saved in quick succession goes together.
    ada.save('two');
    ada.save('three');
    await world.clock.advance(299);
    expect(await world.ids()).toEqual(['one']);
    await world.clock.advance(1);
    expect([await world.ids(), ada.pending]).toEqual([['one', 'two', 'three'], []]);
    await stop();
  });

  it('brings what others wrote, a minute later where it gets no hints', async () => {
    const world = createTestWorld();
    const [ada, bob] = [world.device('a'), world.device('b')];
    world.setLine((request, pass) => (request.method === 'GET' ? Promise.reject(new TypeError('no streams')) : pass()));
    const tabs = [world.start(ada), world.start(bob)];
    await world.clock.advance(1_000);
    bob.save('from bob');
    await world.clock.advance(1.25 * minute);
    expect(ada.ids).toEqual(['from bob']);
    await Promise.all(tabs.map(({ stop }) => stop()));
  });

  it('pulls and pushes a long history in pages', async () => {
    const world = createTestWorld({ limits: { pushCommits: 10, pageEvents: 7 } });
    const [ada, bob] = [world.device('a'), world.device('b')];
    for (let index = 0; index < 35; index += 1) ada.save(`c${index}`);
    const tabs = [world.start(ada)];
    await world.clock.advance(0);
    tabs.push(world.start(bob));
    await world.clock.advance(0);
    expect(bob.ids).toEqual(ada.ids);
    expect(bob.ids).toHaveLength(35);
    await Promise.all(tabs.map(({ stop }) => stop()));
  });

  it('pushes again what it got no answer to, and the server has it once', async () => {
    const world = createTestWorld();
    world.setLine(loseReplies('push', 3));
    const ada = world.device('a');
    ada.save('one');
    const { host, stop } = world.start(ada);
    await world.clock.advance(0);
    expect(host.last).toMatchObject({ phase: 'waiting', problem: { code: 'OFFLINE' } });
    expect(host.last?.nextWakeAt).toBeGreaterThan(world.clock.now);
    await world.clock.advance(minute);
    expect([await world.ids(), ada.ids, ada.pending]).toEqual([['one'], ['one'], []]);
    expect(host.last?.phase).toBe('synced');
    // After an error it says hello.
    expect(posts(world.requests).slice(0, 3)).toEqual(['hello', 'push', 'hello']);
    await stop();
  });

  it('does not push again what was answered, and does when it is not given back for five minutes', async () => {
    const world = createTestWorld();
    let pushes = 0;
    let isHiding = true;
    world.setLine(async (request, pass) => {
      if (request.url.endsWith('push')) pushes += 1;
      // A replica that is behind.
      if (!request.url.endsWith('pull') || !isHiding) return pass();
      const { base } = await request.json();
      return Response.json({ base, commits: [], head: { g: base.g, oh: base.oh } });
    });
    const ada = world.device('a');
    ada.save('one');
    const { host, stop } = world.start(ada);
    await world.clock.advance(4 * minute);
    expect([pushes, ada.pending.length]).toEqual([1, 1]);
    expect(host.last).toMatchObject({ phase: 'waiting', problem: { code: 'UNCONFIRMED' } });
    await world.clock.advance(6 * minute);
    expect(pushes).toBeGreaterThan(1);
    isHiding = false;
    await world.clock.advance(5 * minute);
    expect([ada.pending, await world.ids()]).toEqual([[], ['one']]);
    await stop();
  });

  it('overlooks replies to another base, and never applies a page that is not what its hashes say', async () => {
    const world = createTestWorld();
    const [ada, bob] = [world.device('a'), world.device('b')];
    bob.save('one');
    const first = world.start(bob);
    await world.clock.advance(0);
    let spoil = (reply: string) => reply.replace('"oh":"0000', '"oh":"1111');
    world.setLine(async (request, pass) => {
      const response = await pass();
      if (!request.url.endsWith('pull')) return response;
      return new Response(spoil(await response.text()), { headers: response.headers });
    });
    const { host, stop } = world.start(ada);
    await world.clock.advance(0);
    expect([ada.ids, host.last]).toMatchObject([[], { phase: 'waiting', problem: { code: 'BAD_REPLY' } }]);
    spoil = (reply) => reply.replace('"by":1', '"by":2');
    await world.clock.advance(minute);
    expect([ada.ids, host.last]).toMatchObject([[], { phase: 'waiting', problem: { code: 'BAD_REPLY' } }]);
    spoil = (reply) => reply;
    await world.clock.advance(5 * minute);
    expect(ada.ids).toEqual(['one']);
    await Promise.all([stop(), first.stop()]);
  });

  it('goes on where another tab was quicker', async () => {
    const world = createTestWorld();
    const [ada, bob] = [world.device('a'), world.device('b')];
    for (const id of ['one', 'two', 'three']) bob.save(id);
    const first = world.start(bob);
    await world.clock.advance(0);
    // Two tabs of one browser without locks: both run.
    const tabs = [world.start(ada), world.start(ada), world.start(ada)];
    ada.save('four');
    await world.clock.advance(minute);
    expect([ada.ids, ada.pending]).toEqual([['one', 'two', 'three', 'four'], []]);
    expect(await world.ids()).toEqual(ada.ids);
    expect(tabs.map(({ host }) => host.last?.phase)).toEqual(['synced', 'synced', 'synced']);
    await Promise.all([...tabs, first].map(({ stop }) => stop()));
  });

  it('leaves it to one tab, and goes on in another when that one is closed or thrown out', async () => {
    const world = createTestWorld();
    const locks = createTestLocks();
    const ada = world.device('a');
    const one = world.start(ada, { locks });
    const two = world.start(ada, { locks });
    await world.clock.advance(3 * minute);
    expect([one.host.last?.phase, two.host.last?.phase]).toEqual(['synced', 'elsewhere']);
    expect(two.host.last?.nextWakeAt).toBeGreaterThan(world.clock.now);
    locks.steal();
    await world.clock.advance(2_000);
    expect([one.host.last?.phase, two.host.last?.phase]).toEqual(['elsewhere', 'synced']);
    await two.stop();
    await world.clock.advance(0);
    expect(one.host.last?.phase).toBe('synced');
    ada.save('one');
    await world.clock.advance(1_000);
    expect(await world.ids()).toEqual(['one']);
    await one.stop();
  });

  it('leaves it to another tab where nothing but another tab can mend it', async () => {
    const world = createTestWorld();
    const locks = createTestLocks();
    const ada = world.device('a');
    ada.save('one');
    const one = world.start(ada, { locks, http: { token: 'of a session that ended' } });
    const two = world.start(ada, { locks });
    await world.clock.advance(1_000);
    expect(await world.ids()).toEqual(['one']);
    expect(two.host.last).toMatchObject({ phase: 'synced' });
    // It asks again, for it may be asked to sign in here, and hears then that another tab does it.
    expect(one.host.last).toMatchObject({ phase: 'paused', problem: { code: 'AUTH' } });
    await world.clock.advance(6 * minute);
    expect([one.host.last?.phase, two.host.last?.phase]).toEqual(['elsewhere', 'synced']);
    await Promise.all([one, two].map(({ stop }) => stop()));
  });

  it.each([
    ['after a minute', false],
    ['when it is woken', true],
  ])('lets another tab have its turn %s where what is pending is not for this one to push', async (_when, isWoken) => {
    const world = createTestWorld();
    world.tokens.set('of-bob', 'bob');
    const locks = createTestLocks();
    const shared = world.device('a');
    const other = world.device('b');
    shared.save('of bob', { principal: 'bob' });
    const ada = world.start(shared, { locks, http: { principal: () => 'ada' } });
    const bob = world.start(shared, { locks, http: { token: 'of-bob', principal: () => 'bob' } });
    const third = world.start(other);
    await world.clock.advance(1_000);
    expect(ada.host.last).toMatchObject({ phase: 'paused', problem: { code: 'OTHER_PRINCIPAL' } });
    // Until then it hears of others at once, and stays where it is.
    const before = posts(world.requests).filter((route) => route === 'hello').length;
    other.save('of another device');
    await world.clock.advance(2_000);
    expect(shared.ids).toEqual(['of another device']);
    expect(posts(world.requests).filter((route) => route === 'hello')).toHaveLength(before);
    await world.clock.advance(isWoken ? 0 : 55_000);
    expect(shared.ids).toEqual(['of another device']);
    // Bob has signed in in the other tab, which says so.
    if (isWoken) ada.wake();
    await world.clock.advance(isWoken ? 1_000 : 10_000);
    expect([shared.ids, shared.pending]).toEqual([['of another device', 'of bob'], []]);
    expect([ada.host.last?.phase, bob.host.last?.phase]).toEqual(['elsewhere', 'synced']);
    await Promise.all([ada, bob, third].map(({ stop }) => stop()));
  });

  it('that is robbed of its lock says that another tab does it, and ends before it asks again', async () => {
    const world = createTestWorld();
    const ada = world.device('a');
    let rob = () => {};
    let running = 0;
    let most = 0;
    // As browsers do it: who is robbed fails at once, whatever is still under way.
    const take: TestLocks['take'] = (work, signal) =>
      new Promise((resolve, reject) => {
        const working = new AbortController();
        signal.addEventListener('abort', () => working.abort());
        rob = () => {
          reject(new DOMException("Lock broken by another request with the 'steal' option.", 'AbortError'));
          working.abort();
        };
        running += 1;
        most = Math.max(most, running);
        work(working.signal)
          .finally(() => {
            running -= 1;
          })
          .then(resolve, reject);
      });
    const { host, stop } = world.start(ada, { locks: { take, steal: () => undefined } });
    await world.clock.advance(1_000);
    let goOn = () => {};
    host.before = () =>
      new Promise((resolve) => {
        goOn = resolve;
      });
    ada.save('one');
    await world.clock.advance(0);
    const before = host.reports.length;
    rob();
    await world.clock.advance(5_000);
    host.before = () => undefined;
    goOn();
    await world.clock.advance(5_000);
    expect([most, ada.ids]).toEqual([1, ['one']]);
    expect(new Set(phases(host.reports.slice(before)))).toEqual(new Set(['elsewhere', 'syncing', 'synced']));
    await stop();
  });

  it('goes on asking where the browser has no locks to give', async () => {
    const world = createTestWorld();
    const ada = world.device('a');
    ada.save('one');
    let asked = 0;
    const free = createTestLocks();
    const locks: TestLocks = {
      ...free,
      take: async (work, signal) => {
        asked += 1;
        if (asked < 8) throw new Error('no locks here');
        await free.take(work, signal);
      },
    };
    const { host, stop } = world.start(ada, { locks });
    await world.clock.advance(0);
    expect(host.last).toMatchObject({ phase: 'waiting', problem: { text: 'no locks here' } });
    await world.clock.advance(10 * minute);
    expect([asked, ada.ids]).toEqual([8, ['one']]);
    await stop();
  });

  it('is woken once by one wake where the browser has no locks to give', async () => {
    const world = createTestWorld();
    let asked = 0;
    const take = async () => {
      asked += 1;
      throw new Error('no locks here');
    };
    const { wake, stop } = world.start(world.device('a'), { locks: { take, steal: () => undefined } });
    await world.clock.advance(60 * minute);
    const before = asked;
    wake();
    await world.clock.advance(0);
    expect(asked - before).toBe(1);
    await world.clock.advance(1_000);
    // The backoff begins anew, and is never shorter than 250 ms.
    expect(asked - before).toBeLessThan(5);
    await stop();
  });

  it('waits as long as the server says', async () => {
    const world = createTestWorld({ limits: { eventsPerSecond: 1, eventBurst: 1 } });
    const ada = world.device('a');
    for (let index = 0; index < 20; index += 1) ada.save(`c${index}`);
    const { host, stop } = world.start(ada);
    await world.clock.advance(0);
    // What is granted may overdraw: the next push pays for it.
    ada.save('late');
    await world.clock.advance(300);
    expect(host.last).toMatchObject({ phase: 'waiting', problem: { code: 'THROTTLED' } });
    expect((host.last?.nextWakeAt ?? 0) - world.clock.now).toBeGreaterThan(15_000);
    const before = world.requests.length;
    ada.save('later');
    await world.clock.advance(15_000);
    expect(world.requests.length).toBe(before);
    await world.clock.advance(20_000);
    expect(ada.pending).toEqual([]);
    await stop();
  });

  it('rests for a time that has an end, whatever is asked for', async () => {
    for (const after of [Number.NaN, Number.POSITIVE_INFINITY, -minute, 1e300]) {
      const world = createTestWorld();
      const refuse = () => Promise.reject(new SyncRefusal('THROTTLED', 'Later.', { after }));
      const sync = transportSync({ hello: refuse, pull: refuse, push: refuse, common: refuse });
      const { host, stop } = world.start(world.device('a'), { sync });
      await world.clock.advance(0);
      expect(host.last).toMatchObject({ phase: 'waiting', problem: { code: 'THROTTLED' } });
      expect(host.last?.nextWakeAt).toBeGreaterThan(world.clock.now);
      expect(host.last?.nextWakeAt).toBeLessThanOrEqual(world.clock.now + 61 * minute);
      await stop();
    }
  });

  it('waits longer and longer while nothing answers, and no longer once it is woken', async () => {
    const world = createTestWorld();
    world.setLine(() => Promise.reject(new TypeError('offline')));
    const { host, wake, stop } = world.start(world.device('a'));
    await world.clock.advance(60 * minute);
    const tries = world.requests.length;
    expect(tries).toBeGreaterThan(15);
    expect(tries).toBeLessThan(60);
    wake();
    await world.clock.advance(0);
    expect(host.last?.phase).toBe('waiting');
    expect(host.last?.nextWakeAt).toBeLessThanOrEqual(world.clock.now + 1_000);
    world.setLine();
    wake();
    await world.clock.advance(0);
    expect(host.last?.phase).toBe('synced');
    await stop();
  });

  it('pushes half as many at a time where the server takes no more', async () => {
    const world = createTestWorld({ limits: { bodyBytes: 4_000 } });
    const ada = world.device('a');
    for (let index = 0; index < 40; index += 1) ada.save(`c${index}`, { note: 'x'.repeat(100) });
    const { host, stop } = world.start(ada);
    await world.clock.advance(0);
    expect([ada.ids.length, ada.pending, host.last?.phase]).toEqual([40, [], 'synced']);
    // It remembers what was too much.
    expect(world.requests.filter((route) => route === 'push').length).toBeLessThan(15);
    await stop();
  });

  it('withdraws a commit that fits in no push, and goes on with those behind it', async () => {
    const world = createTestWorld({ limits: { bodyBytes: 4_000 } });
    const ada = world.device('a');
    ada.save('one');
    ada.save('giant', { note: 'x'.repeat(5_000) });
    ada.save('two');
    const { stop } = world.start(ada);
    await world.clock.advance(0);
    expect([ada.ids, ada.pending]).toEqual([['one', 'two'], []]);
    expect(ada.refused).toMatchObject([{ commandId: 'giant', code: 'TOO_LARGE' }]);
    await stop();
  });

  it('seldom runs into a proxy again that takes less than the server says', async () => {
    const world = createTestWorld();
    const sizes: number[] = [];
    let refused = 0;
    world.setLine(async (request, pass) => {
      if (!request.url.endsWith('push')) return pass();
      const body = await request.clone().text();
      sizes.push(JSON.parse(body).commits.length);
      if (body.length <= 20_000) return pass();
      refused += 1;
      return new Response('<h1>no</h1>', { status: 413 });
    });
    const ada = world.device('a');
    for (let index = 0; index < 240; index += 1) ada.save(`c${index}`, { note: 'x'.repeat(4_000) });
    const { host, stop } = world.start(ada);
    await world.clock.advance(minute);
    expect([ada.ids.length, host.last?.phase]).toEqual([240, 'synced']);
    // Six times from 256 commits down to what fits, and after that once for each half dozen of pushes and their pulls.
    expect(refused).toBeLessThan(30);
    expect(sizes.length - refused).toBeLessThan(120);
    await stop();
  });

  it('withdraws nothing where a proxy takes less than the server says', async () => {
    const world = createTestWorld();
    world.setLine((request, pass) =>
      request.url.endsWith('push') ? Promise.resolve(new Response('<h1>no</h1>', { status: 413 })) : pass(),
    );
    const ada = world.device('a');
    ada.save('one');
    ada.save('two');
    const { host, stop } = world.start(ada);
    await world.clock.advance(minute);
    expect([ada.pending.length, ada.refused]).toEqual([2, []]);
    expect(host.last).toMatchObject({ phase: 'waiting', problem: { code: 'TOO_LARGE' } });
    await stop();
  });

  it('asks for less at a time where a whole page takes too long', async () => {
    const world = createTestWorld();
    const [ada, bob] = [world.device('a'), world.device('b')];
    for (let index = 0; index < 400; index += 1) bob.save(`c${index}`);
    const first = world.start(bob);
    await world.clock.advance(0);
    world.setLine(async (request, pass) => {
      if (!request.url.endsWith('pull')) return pass();
      const response = await pass();
      const text = await response.text();
      return text.length < 40_000 ? new Response(text, { headers: response.headers }) : new Promise(() => undefined);
    });
    const { stop } = world.start(ada);
    await world.clock.advance(10 * minute);
    expect(ada.ids).toHaveLength(400);
    await Promise.all([stop(), first.stop()]);
  });

  it('gives up a request after 30 s, also one that overlooks its signal', async () => {
    const world = createTestWorld();
    world.setLine(() => new Promise(() => undefined));
    const { host, stop } = world.start(world.device('a'));
    await world.clock.advance(29_999);
    expect(host.last?.phase).toBe('syncing');
    await world.clock.advance(1);
    expect(host.last).toMatchObject({ phase: 'waiting', problem: { code: 'TIMEOUT' } });
    world.setLine();
    await world.clock.advance(1_000);
    expect(host.last?.phase).toBe('synced');
    await stop();
  });

  it('takes minutes over one commit where the line needs them, both ways', async () => {
    const world = createTestWorld();
    const slowBy: Record<string, number> = { push: 200_000 };
    world.setLine(async (request, pass) => {
      const ms = slowBy[request.url.split('/').at(-1) ?? ''] ?? 0;
      await new Promise<void>((resolve) => world.env.callLater(resolve, ms));
      // What was given up on does not arrive.
      request.signal.throwIfAborted();
      return pass();
    });
    const [ada, bob] = [world.device('a'), world.device('b')];
    const { host, stop } = world.start(ada);
    await world.clock.advance(1_000);
    ada.save('a long import');
    const before = host.reports.length;
    await world.clock.advance(20 * minute);
    expect([await world.ids(), ada.ids]).toEqual([['a long import'], ['a long import']]);
    const reports = host.reports.slice(before);
    expect(reports.map(({ problem }) => problem?.code)).not.toContain('STALLED');
    // Of all that took so long, each time says when something will be heard next.
    expect(reports.every(({ nextWakeAt }, at) => nextWakeAt >= (reports[at - 1]?.nextWakeAt ?? 0) - 60_000)).toBe(true);
    slowBy.pull = 200_000;
    const other = world.start(bob);
    await world.clock.advance(20 * minute);
    expect(bob.ids).toEqual(['a long import']);
    await Promise.all([stop(), other.stop()]);
  });

  it('has learned to wait where several commits in a row take so long', async () => {
    const world = createTestWorld({ limits: { pushCommits: 1 } });
    world.setLine(async (request, pass) => {
      const isPush = request.url.endsWith('push');
      await new Promise<void>((resolve) => world.env.callLater(resolve, isPush ? 40_000 : 0));
      request.signal.throwIfAborted();
      return pass();
    });
    const ada = world.device('a');
    for (const id of ['one', 'two', 'three']) ada.save(id);
    const { stop } = world.start(ada);
    await world.clock.advance(10 * minute);
    expect(await world.ids()).toEqual(['one', 'two', 'three']);
    // Three that were given up before it asked for little enough, and then no more.
    expect(world.requests.filter((route) => route === 'push')).toHaveLength(6);
    await stop();
  });

  it('begins anew where a cycle does not move for a minute', async () => {
    const world = createTestWorld();
    const [ada, bob] = [world.device('a'), world.device('b')];
    bob.save('one');
    const first = world.start(bob);
    await world.clock.advance(0);
    const { host, stop } = world.start(ada);
    let wakeUp = () => {};
    host.before = () =>
      new Promise((resolve) => {
        wakeUp = resolve;
      });
    await world.clock.advance(minute);
    expect(host.last).toMatchObject({ phase: 'waiting', problem: { code: 'STALLED' } });
    host.before = () => undefined;
    await world.clock.advance(1_000);
    expect([ada.ids, host.last?.phase]).toEqual([['one'], 'synced']);
    // What hung for so long does no harm when it goes on.
    wakeUp();
    await world.clock.advance(minute);
    expect([ada.ids, host.last?.phase]).toEqual([['one'], 'synced']);
    await Promise.all([stop(), first.stop()]);
  });

  it('tries again after a defect or a failure of the storage', async () => {
    const world = createTestWorld();
    const ada = world.device('a');
    ada.save('one');
    const { host, stop } = world.start(ada);
    host.before = () => {
      throw new Error('no such row');
    };
    await world.clock.advance(0);
    expect(host.last).toMatchObject({ phase: 'waiting', problem: { code: 'FAILED', text: 'no such row' } });
    host.before = () => undefined;
    await world.clock.advance(minute);
    expect([ada.ids, host.last?.phase]).toEqual([['one'], 'synced']);
    await stop();
  });

  it('hangs up where a principal cannot be told', async () => {
    const world = createTestWorld();
    const ada = world.device('a');
    const lines: AbortSignal[] = [];
    let isKnown = true;
    world.setLine(async (request, pass) => {
      if (request.method === 'GET') lines.push(request.signal);
      const response = await pass();
      if (request.url.endsWith('push')) isKnown = false;
      return response;
    });
    const principal = () => {
      if (isKnown) return '';
      throw new Error('no such user');
    };
    const { host, stop } = world.start(ada, { http: { principal } });
    await world.clock.advance(1_000);
    world.setPolicy({ log: () => 'allow', commit: () => ({ after: minute }) });
    ada.save('one');
    await world.clock.advance(0);
    expect(host.last).toMatchObject({ phase: 'waiting', problem: { code: 'FAILED', text: 'no such user' } });
    expect(lines.map(({ aborted }) => aborted)).toEqual([true]);
    await stop();
  });

  it('stops in the middle of a request', async () => {
    const world = createTestWorld();
    let signal: AbortSignal | undefined;
    world.setLine((request) => {
      signal = request.signal;
      return new Promise(() => undefined);
    });
    const ada = world.device('a');
    ada.save('one');
    const { host, stop, wake } = world.start(ada);
    await world.clock.advance(0);
    await stop();
    expect(signal?.aborted).toBe(true);
    const { length } = host.reports;
    wake();
    ada.save('two');
    await world.clock.advance(10 * minute);
    expect([host.reports.length, world.requests.length]).toEqual([length, 1]);
  });

  it('stops while it rests, while it waits, and while another tab does it', async () => {
    const world = createTestWorld();
    const locks = createTestLocks();
    const tabs = [world.start(world.device('a'), { locks }), world.start(world.device('a'), { locks })];
    // A tab says that another one does it when it has waited for a moment.
    expect(tabs[1]?.host.last).toBeUndefined();
    await world.clock.advance(1_000);
    world.setLine(() => Promise.reject(new TypeError('offline')));
    tabs.push(world.start(world.device('b')));
    await world.clock.advance(0);
    expect(tabs.map(({ host }) => host.last?.phase)).toEqual(['synced', 'elsewhere', 'waiting']);
    await Promise.all(tabs.reverse().map(({ stop }) => stop()));
  });

  it('is started by the network coming back, though not by all at once', async () => {
    const target = new EventTarget();
    const scope = globalThis as { addEventListener?: unknown; removeEventListener?: unknown };
    scope.addEventListener = target.addEventListener.bind(target);
    scope.removeEventListener = target.removeEventListener.bind(target);
    try {
      const world = createTestWorld();
      world.setLine(() => Promise.reject(new TypeError('offline')));
      const { host, stop } = world.start(world.device('a'));
      await world.clock.advance(20 * minute);
      world.setLine();
      target.dispatchEvent(new Event('online'));
      expect(host.last?.nextWakeAt).toBeLessThanOrEqual(world.clock.now + 1_000);
      await world.clock.advance(1_000);
      expect(host.last?.phase).toBe('synced');
      await stop();
    } finally {
      delete scope.addEventListener;
      delete scope.removeEventListener;
    }
  });

  it('says the same thing once', async () => {
    const world = createTestWorld();
    const { host, stop } = world.start(world.device('a'));
    await world.clock.advance(10 * minute);
    const texts = host.reports.map((progress) => JSON.stringify(progress));
    expect(texts.filter((text, index) => text === texts[index - 1])).toEqual([]);
    await stop();
  });
});

describe('hints', () => {
  it('bring what others wrote within a second, and spare the looks', async () => {
    const world = createTestWorld();
    const [ada, bob] = [world.device('a'), world.device('b')];
    const tabs = [world.start(ada), world.start(bob)];
    await world.clock.advance(2 * minute);
    const before = posts(world.requests).length;
    await world.clock.advance(2 * minute);
    expect(posts(world.requests).length).toBe(before);
    bob.save('from bob');
    await world.clock.advance(1_000);
    expect(ada.ids).toEqual(['from bob']);
    await Promise.all(tabs.map(({ stop }) => stop()));
    expect(world.underWay).toBe(0);
  });

  it('of what is known are overlooked', async () => {
    const world = createTestWorld();
    const ada = world.device('a');
    const { stop } = world.start(ada);
    await world.clock.advance(1.5 * minute);
    world.requests.splice(0);
    ada.save('own');
    await world.clock.advance(30_000);
    // Its own push was poked to it too.
    expect(posts(world.requests)).toEqual(['pull', 'push', 'pull']);
    await stop();
  });

  it('of a server that was restored are looked at', async () => {
    const world = createTestWorld();
    const ada = world.device('a');
    const { stop } = world.start(ada);
    ada.save('one');
    await world.clock.advance(2 * minute);
    await world.store.renewEpoch();
    const bob = world.device('b');
    bob.save('two');
    const other = world.start(bob);
    world.requests.splice(0);
    await world.clock.advance(1_000);
    expect(ada.ids).toEqual(['one', 'two']);
    expect(world.requests.filter((route) => route === 'hello')).toHaveLength(2);
    await Promise.all([stop(), other.stop()]);
  });

  it('are listened for again after the line broke, and missed ones looked for', async () => {
    const world = createTestWorld();
    const [ada, bob] = [world.device('a'), world.device('b')];
    const lines: AbortController[] = [];
    world.setLine(async (request, pass) => {
      const response = await pass();
      if (request.method !== 'GET') return response;
      const breaker = new AbortController();
      lines.push(breaker);
      const body = response.body?.pipeThrough(new TransformStream(), { signal: breaker.signal });
      return new Response(body ?? null, { headers: response.headers });
    });
    const tab = world.start(ada);
    await world.clock.advance(2 * minute);
    expect(lines).toHaveLength(1);
    lines[0]?.abort();
    bob.save('missed');
    const other = world.start(bob);
    await world.clock.advance(2_000);
    expect(ada.ids).toEqual(['missed']);
    expect(lines.length).toBeGreaterThan(1);
    await Promise.all([tab.stop(), other.stop()]);
  });

  it('that end make it say hello again, for the server may be another one', async () => {
    const world = createTestWorld();
    const ada = world.device('a');
    const lines: AbortController[] = [];
    let minApp = 0;
    world.setLine(async (request, pass) => {
      if (request.url.endsWith('hello') && minApp > 1) {
        return Response.json({ error: 'UPGRADE_REQUIRED', text: 'Reload.', minApp }, { status: 426 });
      }
      const response = await pass();
      if (request.method !== 'GET') return response;
      const breaker = new AbortController();
      lines.push(breaker);
      const body = response.body?.pipeThrough(new TransformStream(), { signal: breaker.signal });
      return new Response(body ?? null, { headers: response.headers });
    });
    const { host, stop } = world.start(ada);
    await world.clock.advance(minute);
    minApp = 2;
    lines.at(-1)?.abort();
    await world.clock.advance(1_000);
    expect(host.last).toMatchObject({ phase: 'paused', problem: { code: 'UPGRADE_REQUIRED' } });
    await stop();
  });

  it('are listened for again where the line died without a word', async () => {
    const world = createTestWorld();
    const [ada, bob] = [world.device('a'), world.device('b')];
    let lines = 0;
    let dead = 0;
    world.setLine(async (request, pass) => {
      const response = await pass();
      if (request.method !== 'GET') return response;
      lines += 1;
      const own = lines;
      const body = response.body?.pipeThrough(
        new TransformStream({
          transform: (chunk, controller) => {
            if (own > dead) controller.enqueue(chunk);
          },
        }),
      );
      return new Response(body ?? null);
    });
    const tab = world.start(ada);
    await world.clock.advance(2 * minute);
    expect(lines).toBe(1);
    dead = 1;
    bob.save('missed');
    const other = world.start(bob);
    // 70 s after the last that came, and a second of backoff at most.
    await world.clock.advance(71_000);
    expect(ada.ids).toEqual(['missed']);
    bob.save('heard');
    await world.clock.advance(1_000);
    expect(ada.ids).toEqual(['missed', 'heard']);
    await Promise.all([tab.stop(), other.stop()]);
  });

  it('need nothing but a sign of life to go on: a comment, or a poke of what is known', async () => {
    const signs = [': beat\n\n', 'event: poke\ndata: {"epoch":"<epoch>","g":0}\n\n'];
    for (const sign of signs) {
      const world = createTestWorld();
      let write = () => {};
      world.setLine(async (request, pass) => {
        const response = await pass();
        if (request.method !== 'GET') return response;
        const first = await response.body?.getReader().read();
        const epoch = /"epoch":"([^"]*)"/.exec(new TextDecoder().decode(first?.value))?.[1] ?? '';
        const body = new ReadableStream({
          start: (controller) => {
            controller.enqueue(first?.value);
            // Its own signs, and not the world's.
            write = () => controller.enqueue(new TextEncoder().encode(sign.replace('<epoch>', epoch)));
          },
        });
        return new Response(body);
      });
      const { stop } = world.start(world.device('a'));
      const listen = async (ms: number) => {
        for (let past = 0; past < ms; past += 30_000) {
          await world.clock.advance(30_000);
          write();
        }
      };
      // The first look was set before the server had spoken.
      await listen(1.5 * minute);
      world.requests.splice(0);
      await listen(3 * minute);
      expect(world.requests).toEqual([]);
      await stop();
    }
  });
});
