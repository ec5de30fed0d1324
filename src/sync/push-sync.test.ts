import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createAuthor } from '../server/fixtures/author.ts';
import { createTestWorld } from './fixtures/test-world.ts';
import {
  createPushTransport,
  type OfferedCommit,
  type OfferResult,
  type PushSyncOptions,
  pushSync,
} from './push-sync.ts';

const minute = 60_000;

/** A back end that knows each command once. */
function createBackEnd() {
  const taken: string[] = [];
  const calls: (readonly string[])[] = [];
  const judge = ({ commit }: OfferedCommit): OfferResult => {
    if (taken.includes(commit.commandId)) return { type: 'duplicate' };
    taken.push(commit.commandId);
    return { type: 'accepted' };
  };
  const push: PushSyncOptions['push'] = async (commits) => {
    calls.push(commits.map(({ commit }) => commit.commandId));
    return commits.map(judge);
  };
  return { taken, calls, judge, push };
}

describe('a back end that is only pushed to', () => {
  it('gets every commit once, and confirms it', async () => {
    const world = createTestWorld();
    const backEnd = createBackEnd();
    const ada = world.device('a');
    for (const id of ['one', 'two']) ada.save(id);
    const { host, stop } = world.start(ada, { sync: pushSync(backEnd) });
    await world.clock.advance(0);
    expect([backEnd.taken, ada.ids, ada.pending]).toEqual([['one', 'two'], ['one', 'two'], []]);
    ada.save('three', { streams: ['x', 'y'] });
    await world.clock.advance(minute);
    expect([backEnd.calls, ada.ids]).toEqual([
      [['one', 'two'], ['three']],
      ['one', 'two', 'three'],
    ]);
    expect([ada.base.g, host.last?.phase]).toEqual([4, 'synced']);
    await stop();
  });

  it('is told again what was not confirmed before a restart, and knows it', async () => {
    const world = createTestWorld();
    const backEnd = createBackEnd();
    const ada = world.device('a');
    ada.save('one');
    const { host, stop } = world.start(ada, { sync: pushSync(backEnd) });
    host.before = () => {
      throw new Error('the device is full');
    };
    await world.clock.advance(0);
    expect([backEnd.taken, ada.pending.length]).toEqual([['one'], 1]);
    await stop();
    ada.save('two');
    const again = world.start(ada, { sync: pushSync(backEnd) });
    await world.clock.advance(0);
    expect([backEnd.taken, ada.ids, ada.pending]).toEqual([['one', 'two'], ['one', 'two'], []]);
    await again.stop();
  });

  it('may answer for fewer than it was given', async () => {
    const world = createTestWorld();
    const backEnd = createBackEnd();
    const ada = world.device('a');
    for (const id of ['one', 'two', 'three']) ada.save(id);
    const sync = pushSync({ push: async (commits) => commits.slice(0, 1).map(backEnd.judge) });
    const { stop } = world.start(ada, { sync });
    await world.clock.advance(0);
    expect(ada.ids).toEqual(['one', 'two', 'three']);
    await stop();
  });

  it('rejects one for good, and those behind it go on', async () => {
    const world = createTestWorld();
    const backEnd = createBackEnd();
    const ada = world.device('a');
    for (const id of ['one', 'poison', 'two', 'three']) ada.save(id);
    const sync = pushSync({
      push: async (commits) =>
        commits.map((offered) =>
          offered.commit.commandId === 'poison'
            ? { type: 'rejected', code: 'NO_SUCH_BOOK', permanent: true }
            : backEnd.judge(offered),
        ),
    });
    const { stop } = world.start(ada, { sync });
    await world.clock.advance(0);
    // Those behind it were written anew, and are known by their command.
    expect([backEnd.taken, ada.ids, ada.pending]).toEqual([['one', 'two', 'three'], ['one', 'two', 'three'], []]);
    expect(ada.refused).toMatchObject([{ commandId: 'poison', code: 'NO_SUCH_BOOK' }]);
    await stop();
  });

  it('puts one off, and the order stays', async () => {
    const world = createTestWorld();
    const backEnd = createBackEnd();
    const ada = world.device('a');
    for (const id of ['one', 'two', 'three']) ada.save(id);
    let isBusy = true;
    const sync = pushSync({
      push: async (commits) =>
        commits.map((offered) =>
          offered.commit.commandId === 'two' && isBusy ? { type: 'retry', after: 5_000 } : backEnd.judge(offered),
        ),
    });
    const { host, stop } = world.start(ada, { sync });
    await world.clock.advance(0);
    expect([ada.ids, host.last?.problem?.code]).toEqual([['one'], 'POSTPONED']);
    isBusy = false;
    await world.clock.advance(6_001);
    expect(ada.ids).toEqual(['one', 'two', 'three']);
    await stop();
  });

  it('may throw, or answer nonsense, and is asked again', async () => {
    const world = createTestWorld();
    const backEnd = createBackEnd();
    const answers: unknown[] = [undefined, {}, [], [{ type: 'maybe' }], [null], [{}, {}, {}]];
    const ada = world.device('a');
    ada.save('one');
    const sync = pushSync({
      push: async (commits) => {
        if (answers.length === 3) answers.pop();
        const answer = answers.pop();
        if (answers.length === 0) return commits.map(backEnd.judge);
        if (answers.length === 2) throw new TypeError('offline');
        return answer as OfferResult[];
      },
    });
    const { host, stop } = world.start(ada, { sync });
    await world.clock.advance(0);
    expect(host.last).toMatchObject({ phase: 'waiting', problem: { code: 'BAD_REPLY' } });
    await world.clock.advance(10 * minute);
    expect([ada.ids, host.last?.phase]).toEqual([['one'], 'synced']);
    await stop();
  });

  it('is not believed where an answer lacks what it has to say', async () => {
    const lacking: unknown[] = [
      { type: 'retry' },
      { type: 'retry', after: 'a minute' },
      { type: 'retry', after: Number.NaN },
      { type: 'rejected' },
      { type: 'rejected', code: 'NO_SUCH_BOOK' },
      { type: 'rejected', code: '', permanent: true },
      { type: 'rejected', code: 7, permanent: true },
      { type: 'rejected', code: 'NO_SUCH_BOOK', permanent: 'yes' },
    ];
    for (const answer of lacking) {
      const world = createTestWorld();
      const ada = world.device('a');
      ada.save('one');
      const sync = pushSync({ push: async () => [answer as OfferResult] });
      const { host, stop } = world.start(ada, { sync });
      await world.clock.advance(0);
      expect([ada.pending.length, host.last]).toMatchObject([1, { phase: 'waiting', problem: { code: 'BAD_REPLY' } }]);
      expect(host.last?.nextWakeAt).toBeGreaterThan(world.clock.now);
      await stop();
    }
  });

  it('is offline where its fetch finds no network, and where the browser says so', async () => {
    const codeAfter = async (error: Error) => {
      const world = createTestWorld();
      const ada = world.device('a');
      ada.save('one');
      const { host, stop } = world.start(ada, { sync: pushSync({ push: () => Promise.reject(error) }) });
      await world.clock.advance(0);
      await stop();
      return host.last?.problem?.code;
    };
    const found = [
      'Failed to fetch',
      'NetworkError when attempting to fetch resource.',
      'Load failed',
      'Load failed (api.example)',
      'fetch failed',
      'network error',
      'terminated',
      'The network connection was lost.',
    ];
    for (const text of found) expect(await codeAfter(new TypeError(text))).toBe('OFFLINE');
    expect(await codeAfter(new TypeError('rows is not iterable'))).toBe('FAILED');
    expect(await codeAfter(new Error('The back end answered 500.'))).toBe('FAILED');
    vi.stubGlobal('navigator', { onLine: false });
    onTestFinished(() => {
      vi.unstubAllGlobals();
    });
    expect(await codeAfter(new Error('axios: no response'))).toBe('OFFLINE');
  });

  it('is quoted with one dot at the end', async () => {
    const world = createTestWorld();
    const ada = world.device('a');
    ada.save('one');
    const push = () => Promise.reject(new Error('The back end answered 500.'));
    const { host, stop } = world.start(ada, { sync: pushSync({ push }) });
    await world.clock.advance(0);
    expect(host.last?.problem?.text).toBe("The app's push failed: The back end answered 500.");
    await stop();
  });

  it('is kept in step by two tabs at once', async () => {
    const world = createTestWorld();
    const backEnd = createBackEnd();
    const ada = world.device('a');
    const tabs = [world.start(ada, { sync: pushSync(backEnd) }), world.start(ada, { sync: pushSync(backEnd) })];
    for (let index = 0; index < 5; index += 1) {
      ada.save(`c${index}`);
      await world.clock.advance(700);
    }
    await world.clock.advance(10 * minute);
    expect([backEnd.taken, ada.pending]).toEqual([ada.ids, []]);
    expect(tabs.map(({ host }) => host.last?.phase)).toEqual(['synced', 'synced']);
    await Promise.all(tabs.map(({ stop }) => stop()));
  });

  it('follows a log that another tab has moved on', async () => {
    const transport = createPushTransport(createBackEnd().push);
    const call = { signal: new AbortController().signal, principal: '' };
    const base = { epoch: '', g: 0, oh: '0'.repeat(64) };
    const ada = createAuthor('log-1', 'a');
    const push = { log: 'log-1', client: 'a', mode: 'own' } as const;
    const { head } = await transport.push({ ...push, base, commits: [ada.commit(['x'])] }, call);
    expect(head.g).toBe(1);
    const moved = { epoch: '', g: 5, oh: 'f'.repeat(64) };
    const page = await transport.pull({ log: 'log-1', base: moved, limit: 9, maxBytes: 9 }, call);
    expect(page).toEqual({ base: moved, commits: [], head: { g: 5, oh: moved.oh } });
    const { results } = await transport.push({ ...push, base: moved, commits: [ada.commit(['x', 'y'])] }, call);
    expect(results).toEqual([{ commitId: 'a-2', result: { type: 'accepted', g: 7 } }]);
  });

  it('can be replaced by a server, which gets the whole history', async () => {
    const world = createTestWorld();
    const ada = world.device('a');
    ada.save('one');
    const before = world.start(ada, { sync: pushSync(createBackEnd()) });
    await world.clock.advance(0);
    await before.stop();
    ada.save('two');
    const { stop } = world.start(ada);
    await world.clock.advance(0);
    expect([await world.ids(), ada.pending]).toEqual([['one', 'two'], []]);
    await stop();
  });
});
