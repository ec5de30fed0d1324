import { describe, expect, it } from 'vitest';
import type { SyncGuard } from '../protocol/sync-messages.ts';
import type { TestDevice } from './fixtures/test-host.ts';
import { createTestWorld, type Line } from './fixtures/test-world.ts';

const minute = 60_000;

type World = ReturnType<typeof createTestWorld>;

/** Runs sync for a device until it has nothing to do. */
async function syncOnce(world: World, device: TestDevice): Promise<void> {
  const { stop } = world.start(device);
  await world.clock.advance(0);
  await stop();
}

const firstOf = (stream: string): SyncGuard => ({ revisions: [{ stream, revision: -1 }] });

describe('a page', () => {
  it('is not asked for larger than a reply may be, whatever the server would give', async () => {
    const world = createTestWorld({ limits: { pageBytes: 64 * 1_048_576 } });
    const [ada, bob] = [world.device('a'), world.device('b')];
    bob.save('one');
    await syncOnce(world, bob);
    const asked: number[] = [];
    world.setLine(async (request, pass) => {
      if (request.url.endsWith('pull')) asked.push((await request.clone().json()).maxBytes);
      return pass();
    });
    await syncOnce(world, ada);
    expect([ada.ids, asked]).toEqual([['one'], [8 * 1_048_576]]);
  });

  it('is on its way while the one before it is applied', async () => {
    const world = createTestWorld({ limits: { pageEvents: 1 } });
    const [ada, bob] = [world.device('a'), world.device('b')];
    for (const id of ['one', 'two', 'three']) bob.save(id);
    await syncOnce(world, bob);
    world.requests.splice(0);
    const { host, stop } = world.start(ada);
    const asked: number[] = [];
    host.before = async () => {
      await world.settle();
      asked.push(world.requests.filter((route) => route === 'pull').length);
    };
    await world.clock.advance(0);
    await expect.poll(() => ada.ids).toEqual(['one', 'two', 'three']);
    expect(asked).toEqual([2, 3, 3]);
    await stop();
  });
});

describe('a server that was restored from a backup', () => {
  it('gets back what it has lost, from those who wrote it and from those who have it', async () => {
    const world = createTestWorld();
    const [ada, bob] = [world.device('a'), world.device('b')];
    ada.save('a1');
    await syncOnce(world, ada);
    bob.save('b1');
    await syncOnce(world, bob);
    ada.save('a2');
    await syncOnce(world, ada);
    await world.restore(1);
    // Bob is gone for ever: Ada has his commit.
    ada.save('a3');
    const { host, stop } = world.start(ada);
    await world.clock.advance(0);
    expect(await world.ids()).toEqual(['a1', 'a2', 'a3', 'b1']);
    expect([ada.ids, ada.pending, ada.orphans]).toEqual([['a1', 'a2', 'a3', 'b1'], [], []]);
    expect(host.last?.phase).toBe('synced');
    await stop();
    await syncOnce(world, bob);
    expect(bob.ids).toEqual(ada.ids);
  });

  it('may not take again what others had written: it is kept with the reason', async () => {
    const world = createTestWorld();
    const [ada, bob] = [world.device('a'), world.device('b')];
    bob.save('b1');
    await syncOnce(world, bob);
    await syncOnce(world, ada);
    await world.restore(0);
    world.setPolicy({ commit: (_actor, { client }) => (client === 'b' ? { deny: 'NOT_YOURS' } : 'allow') });
    const { host, stop } = world.start(ada);
    await world.clock.advance(0);
    expect([ada.ids, ada.orphans, host.last?.phase]).toEqual([[], [], 'synced']);
    expect(ada.refused.map(({ commandId, code }) => [commandId, code])).toEqual([['b1', 'NOT_YOURS']]);
    await stop();
  });

  it('is found out too where it has taken new commits since', async () => {
    const world = createTestWorld();
    const [ada, bob] = [world.device('a'), world.device('b')];
    ada.save('a1');
    await syncOnce(world, ada);
    await world.restore(0);
    for (const id of ['b1', 'b2', 'b3']) bob.save(id);
    await syncOnce(world, bob);
    await syncOnce(world, ada);
    expect([await world.ids(), ada.ids]).toEqual([
      ['b1', 'b2', 'b3', 'a1'],
      ['b1', 'b2', 'b3', 'a1'],
    ]);
  });

  it('is begun anew where it has lost the log', async () => {
    const world = createTestWorld();
    const ada = world.device('a');
    ada.save('a1');
    const { stop } = world.start(ada);
    await world.clock.advance(minute);
    world.lose();
    ada.save('a2');
    await world.clock.advance(minute);
    expect([await world.ids(), ada.pending]).toEqual([['a1', 'a2'], []]);
    await stop();
  });

  it('may have lost what it had answered', async () => {
    const world = createTestWorld();
    const ada = world.device('a');
    ada.save('a1');
    // The answer to the push comes, and nothing after it.
    let isCut = true;
    world.setLine((request, pass) =>
      request.url.endsWith('pull') && isCut ? Promise.reject(new TypeError('offline')) : pass(),
    );
    const { host, stop } = world.start(ada);
    await world.clock.advance(0);
    expect([await world.ids(), host.last?.phase]).toEqual([['a1'], 'waiting']);
    await world.restore(0);
    isCut = false;
    ada.save('a2', { guard: { revisions: [{ stream: 'a-1', revision: 0 }] } });
    await world.clock.advance(minute);
    expect([await world.ids(), ada.pending]).toEqual([['a1', 'a2'], []]);
    await stop();
  });

  it('does not keep a client busy where two of different histories answer in turn', async () => {
    const world = createTestWorld();
    const ada = world.device('a');
    ada.save('a1');
    await syncOnce(world, ada);
    world.setLine(async (request, pass) => {
      const { base = { g: 0 } } = await request.clone().json();
      const head = { g: base.g + 1, oh: 'f'.repeat(64) };
      return request.url.endsWith('pull')
        ? Response.json({ error: 'DIVERGED', text: 'No.', head, epoch: 'e' }, { status: 409 })
        : request.url.endsWith('hello')
          ? Response.json({ ...(await (await pass()).json()), head })
          : pass();
    });
    world.requests.splice(0);
    const { host, stop } = world.start(ada);
    await world.clock.advance(0);
    expect(host.last).toMatchObject({ phase: 'waiting', problem: { code: 'DIVERGED' } });
    expect(world.requests.length).toBeLessThan(15);
    world.setLine();
    await world.clock.advance(minute);
    expect([ada.ids, host.last?.phase]).toEqual([['a1'], 'synced']);
    await stop();
  });
});

describe('a profile that was copied', () => {
  it('writes on under another name', async () => {
    const world = createTestWorld();
    const ada = world.device('a');
    ada.save('before');
    await syncOnce(world, ada);
    const copy = ada.clone();
    ada.save('here');
    copy.save('there');
    await syncOnce(world, ada);
    await syncOnce(world, copy);
    expect(await world.ids()).toEqual(['before', 'here', 'there']);
    expect(copy.client).not.toBe(ada.client);
    expect([copy.pending, copy.refused]).toEqual([[], []]);
  });

  it('is found out by a push where the other comes in between', async () => {
    const world = createTestWorld();
    const ada = world.device('a');
    ada.save('before');
    await syncOnce(world, ada);
    const copy = ada.clone();
    ada.save('here');
    copy.save('there');
    let isFirst = true;
    world.setLine(async (request, pass) => {
      if (request.url.endsWith('push') && isFirst) {
        isFirst = false;
        await syncNow(world, ada);
      }
      return pass();
    });
    const { stop } = world.start(copy);
    await world.clock.advance(0);
    await world.settle();
    expect(await world.ids()).toEqual(['before', 'here', 'there']);
    expect([copy.ids, copy.pending]).toEqual([['before', 'here', 'there'], []]);
    expect(copy.client).not.toBe('a');
    await stop();
  });
});

/** What the server did with a push, and another answer to it. */
const answerPush =
  (type: object, isWanted = () => true): Line =>
  async (request, pass) => {
    const message = request.url.endsWith('push') ? await request.clone().json() : undefined;
    const response = await pass();
    if (message === undefined || !isWanted()) return response;
    const { head } = await response.json();
    const results = [{ commitId: message.commits[0].commit.commandId, result: type }];
    return Response.json({ base: message.base, results, head });
  };

describe('an answer that is not as it seems', () => {
  it('is looked at again where the server has the commit: before it is written anew, and before it is withdrawn', async () => {
    const answers = [
      { type: 'forked', seq: 1 },
      { type: 'rejected', code: 'ID_CONFLICT', permanent: true },
    ];
    for (const answer of answers) {
      const world = createTestWorld();
      const ada = world.device('a');
      ada.save('one');
      world.setLine(answerPush(answer));
      const { stop } = world.start(ada);
      await world.clock.advance(0);
      expect([ada.ids, ada.pending, ada.refused]).toEqual([['one'], [], []]);
      expect(world.requests.filter((route) => route === 'push')).toHaveLength(1);
      await stop();
    }
  });

  it('does not keep them busy where it never changes', async () => {
    const world = createTestWorld();
    const ada = world.device('a');
    ada.save('one');
    world.setPolicy({ commit: () => ({ after: 1 }) });
    world.setLine(answerPush({ type: 'forked', seq: 1 }));
    const { host, stop } = world.start(ada);
    await world.clock.advance(0);
    expect(host.last).toMatchObject({ phase: 'waiting', problem: { code: 'FORKED' } });
    expect(world.requests.length).toBeLessThan(60);
    world.setPolicy({});
    world.setLine();
    await world.clock.advance(minute);
    expect(ada.ids).toEqual(['one']);
    await stop();
  });
});

/** Within what another request waits for: time cannot go on meanwhile. */
async function syncNow(world: World, device: TestDevice): Promise<void> {
  const { stop } = world.start(device);
  await world.settle();
  await stop();
}

describe('a guard', () => {
  it('that others have broken is looked at again after a pull', async () => {
    const world = createTestWorld();
    const [ada, bob] = [world.device('a'), world.device('b')];
    bob.save('b1', { streams: ['x'] });
    let isFirst = true;
    world.setLine(async (request, pass) => {
      if (request.url.endsWith('push') && isFirst) {
        isFirst = false;
        await syncNow(world, bob);
      }
      return pass();
    });
    ada.save('a1', { streams: ['x'], guard: firstOf('x') });
    const { host, stop } = world.start(ada);
    await world.clock.advance(0);
    await world.settle();
    // This host decides nothing again: the guard cannot be mended.
    expect(ada.ids).toEqual(['b1']);
    expect(host.last).toMatchObject({ phase: 'waiting', problem: { code: 'CONFLICT' } });
    await stop();
  });

  it('that comes to hold by what others write is pushed at once', async () => {
    const world = createTestWorld();
    const [ada, bob] = [world.device('a'), world.device('b')];
    ada.save('a1', { streams: ['y'], guard: { revisions: [{ stream: 'x', revision: 0 }] } });
    const { host, stop } = world.start(ada);
    await world.clock.advance(20 * minute);
    expect(host.last).toMatchObject({ phase: 'waiting', problem: { code: 'CONFLICT' } });
    bob.save('b1', { streams: ['x'] });
    const other = world.start(bob);
    await world.clock.advance(1_000);
    expect(ada.ids).toEqual(['b1', 'a1']);
    await Promise.all([stop(), other.stop()]);
  });

  it('that cannot be mended does not keep the server busy', async () => {
    const world = createTestWorld();
    const ada = world.device('a');
    ada.save('a1', { guard: { revisions: [{ stream: 'x', revision: 7 }] } });
    ada.save('a2');
    const { host, stop } = world.start(ada);
    await world.clock.advance(0);
    expect(host.last).toMatchObject({ phase: 'waiting', problem: { code: 'CONFLICT' } });
    world.requests.splice(0);
    await world.clock.advance(30 * minute);
    expect(world.requests.length).toBeLessThan(60);
    expect(ada.pending).toHaveLength(2);
    await stop();
  });
});

describe('a gap', () => {
  it('that the client cannot fill is waited with', async () => {
    const world = createTestWorld();
    const ada = world.device('a');
    ada.save('a1');
    world.setLine(async (request, pass) => {
      if (!request.url.endsWith('push')) return pass();
      const { base, commits } = await request.json();
      const results = [{ commitId: commits[0].commit.commandId, result: { type: 'gap', expected: 1 } }];
      return Response.json({ base, results, head: { g: base.g, oh: base.oh } });
    });
    const { host, stop } = world.start(ada);
    await world.clock.advance(10 * minute);
    expect(host.last).toMatchObject({ phase: 'waiting', problem: { code: 'GAP' } });
    expect(world.requests.length).toBeLessThan(60);
    world.setLine();
    await world.clock.advance(5 * minute);
    expect(ada.ids).toEqual(['a1']);
    await stop();
  });
});

describe('a gap behind what a client has written before', () => {
  it('is left behind under another name, where nothing is held back: what was there is nowhere any more', async () => {
    const world = createTestWorld();
    const ada = world.device('a');
    ada.save('a1');
    await syncOnce(world, ada);
    for (const id of ['a2', 'a3']) ada.save(id);
    world.setLine(async (request, pass) => {
      if (!request.url.endsWith('push')) return pass();
      const { base, client, commits } = await request.clone().json();
      const [first] = commits;
      if (client !== 'a') return pass();
      const results = [{ commitId: first.commit.commandId, result: { type: 'gap', expected: 1 } }];
      return Response.json({ base, results, head: { g: base.g, oh: base.oh } });
    });
    await syncOnce(world, ada);
    expect([await world.ids(), ada.pending]).toEqual([['a1', 'a2', 'a3'], []]);
  });
});

describe('a commit that the policy denies', () => {
  it('is withdrawn for good, and those behind it go on', async () => {
    const world = createTestWorld();
    world.setPolicy({
      commit: (_actor, { commandId }) => (commandId.startsWith('poison') ? { deny: 'NOT_YOURS' } : 'allow'),
    });
    const ada = world.device('a');
    for (const id of ['a1', 'poison-1', 'a2', 'poison-2', 'a3']) ada.save(id);
    const { host, stop } = world.start(ada);
    await world.clock.advance(0);
    expect([await world.ids(), ada.pending]).toEqual([['a1', 'a2', 'a3'], []]);
    expect(ada.refused.map(({ commandId, code }) => [commandId, code])).toEqual([
      ['poison-1', 'NOT_YOURS'],
      ['poison-2', 'NOT_YOURS'],
    ]);
    expect(host.last?.phase).toBe('synced');
    await stop();
  });

  it('for now is tried again, and nothing overtakes it', async () => {
    const world = createTestWorld();
    world.setPolicy({
      commit: (_actor, { commandId }) => (commandId === 'a2' ? { deny: 'FORBIDDEN', permanent: false } : 'allow'),
    });
    const ada = world.device('a');
    for (const id of ['a1', 'a2', 'a3']) ada.save(id);
    const { host, stop } = world.start(ada);
    await world.clock.advance(minute);
    expect([ada.ids, ada.pending.length]).toEqual([['a1'], 2]);
    // The policy's code, not the protocol's: it does not pause.
    expect(host.last).toMatchObject({ phase: 'waiting', problem: { code: 'FORBIDDEN' } });
    world.setPolicy({});
    await world.clock.advance(5 * minute);
    expect(ada.ids).toEqual(['a1', 'a2', 'a3']);
    await stop();
  });

  it('and puts off is pushed again no sooner than that', async () => {
    const world = createTestWorld();
    const opensAt = world.clock.now + 10 * minute;
    world.setPolicy({ commit: () => (world.clock.now < opensAt ? { after: opensAt - world.clock.now } : 'allow') });
    const ada = world.device('a');
    ada.save('a1');
    const { host, stop } = world.start(ada);
    await world.clock.advance(0);
    expect(host.last).toMatchObject({ phase: 'waiting', problem: { code: 'POSTPONED' } });
    // What others write is pulled all the same.
    const bob = world.device('b');
    bob.save('b1');
    world.setPolicy({});
    const other = world.start(bob);
    await world.clock.advance(2 * minute);
    expect(ada.ids).toEqual(['b1']);
    await other.stop();
    await world.clock.advance(8 * minute - 1);
    expect(world.requests.filter((route) => route === 'push')).toHaveLength(2);
    await world.clock.advance(1_001);
    expect(ada.ids).toEqual(['b1', 'a1']);
    await stop();
  });
});

describe('what is withdrawn as it is looked at', () => {
  it('is nothing that the server took and does not show', async () => {
    const world = createTestWorld();
    const ada = world.device('a');
    ada.save('a1');
    const { host, stop } = world.start(ada);
    const { readPush } = host;
    host.readPush = async (query) => {
      const { commits } = await readPush(query);
      await host.refuse(
        commits.map(({ commit: { commandId }, digest }) => ({ commandId, digest, code: 'NO', text: '' })),
      );
      return readPush(query);
    };
    await world.clock.advance(0);
    expect(host.reports.flatMap(({ problem }) => problem ?? [])).toEqual([]);
    expect([host.last?.phase, ada.pending]).toEqual(['synced', []]);
    await stop();
  });
});

describe('what somebody else saved', () => {
  it('is not pushed, nor what stands behind it, and pulling goes on', async () => {
    const world = createTestWorld();
    const [ada, bob] = [world.device('a'), world.device('b')];
    let user = 'eve';
    ada.save('from eve', { principal: 'eve' });
    ada.save('from ann', { principal: 'ann' });
    ada.save('from eve too', { principal: 'eve' });
    const { host, stop, wake } = world.start(ada, { http: { principal: () => user } });
    await world.clock.advance(0);
    expect(ada.ids).toEqual(['from eve']);
    expect(host.last).toMatchObject({ phase: 'paused', problem: { code: 'OTHER_PRINCIPAL' } });
    bob.save('from bob');
    const other = world.start(bob);
    await world.clock.advance(2 * minute);
    expect(ada.ids).toEqual(['from eve', 'from bob']);
    user = 'ann';
    wake();
    await world.clock.advance(0);
    expect(ada.ids).toEqual(['from eve', 'from bob', 'from ann']);
    await Promise.all([stop(), other.stop()]);
  });

  it('is not sent with the token of one who signs in between', async () => {
    const world = createTestWorld();
    let user = 'eve';
    world.tokens.set('token-eve', 'eve').set('token-ann', 'ann');
    const authors: string[] = [];
    world.setPolicy({
      commit: ({ id }, { commandId }) => {
        authors.push(`${id} pushed ${commandId}`);
        return 'allow';
      },
    });
    const ada = world.device('a');
    const { host, stop } = world.start(ada, { http: { principal: () => user, token: () => `token-${user}` } });
    await world.clock.advance(1_000);
    ada.save('from eve', { principal: 'eve' });
    // She signs out while the pull before the push is under way.
    world.setLine(async (request, pass) => {
      const response = await pass();
      if (request.url.endsWith('pull')) user = 'ann';
      return response;
    });
    await world.clock.advance(2 * minute);
    expect([authors, ada.pending.length]).toEqual([[], 1]);
    expect(host.last).toMatchObject({ phase: 'paused', problem: { code: 'OTHER_PRINCIPAL' } });
    await stop();
  });
});
