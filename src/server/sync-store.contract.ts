import { describe, expect, it } from 'vitest';
import { type SyncEvent, toCanonicalCommit } from '../protocol/sync-commit.ts';
import type { PushedCommit, PushMode, SyncBase, SyncGuard } from '../protocol/sync-messages.ts';
import { createRandom } from '../testing/random.ts';
import { dumpStore, restoreStore } from './dump-store.ts';
import { counted, createAuthor, otherHash } from './fixtures/author.ts';
import { checkChain } from './fixtures/check-chain.ts';
import { createTestServer, pushOf, start, type TestServer } from './fixtures/test-server.ts';
import { createMemorySyncStore } from './memory-sync-store.ts';
import type { Policy } from './policy.ts';
import { checkPush, pushCommits } from './push-commits.ts';
import { defaultLimits } from './server-limits.ts';
import type { SyncStore } from './sync-store.ts';

/** Opens empty stores, each its own. The second opens what the last one has stored, as another server would. */
export interface StoreFactory {
  open(): Promise<SyncStore>;
  reopen?(): Promise<SyncStore>;
}

/** What a server promises, whatever it keeps its logs in. */
export function describeSyncStore(name: string, factory: StoreFactory): void {
  const setUp = async (options: Parameters<typeof createTestServer>[1] = {}) => {
    const store = await factory.open();
    const server = createTestServer(store, options);
    await server.hello();
    return { store, server, ada: createAuthor('log-1', 'a') };
  };
  const count = async (server: TestServer) => (await server.pull()).head.g;

  describe(`a server on ${name}`, () => {
    it('takes commits, and gives them back as they were', async () => {
      const { server, ada } = await setUp();
      const events: readonly SyncEvent[] = [
        counted('a-1', { data: { text: 'ž € \u0000 "\\', list: [1.5, null, { 10: 1, 9: 2 }] }, tags: ['a', 'ž'] }),
        counted('b "2"', { type: 'Gedreht', version: 3, data: null }),
      ];
      const commits = [ada.commit(events), ada.commit(['a-1', 'a-2'], { change: { causationId: 'x.0' } })];
      const reply = await server.push(commits);
      expect(reply.results).toEqual([
        { commitId: 'a-1', result: { type: 'accepted', g: 2 } },
        { commitId: 'a-2', result: { type: 'accepted', g: 4 } },
      ]);
      const pulled = await server.pull();
      expect(pulled.commits.map(({ commit }) => commit)).toEqual(commits.map(({ commit }) => commit));
      expect(checkChain(pulled.commits)).toEqual([]);
      expect(pulled.head).toEqual({ g: 4, oh: pulled.commits[1]?.oh });
      expect(reply.head).toEqual(pulled.head);
      expect(pulled.base).toEqual(start);
    });

    it('makes a log at the first hello, and says what it has of a client', async () => {
      const { server, store, ada } = await setUp();
      const first = await server.hello();
      expect(first).toMatchObject({ proto: 1, epoch: store.epoch, head: { g: 0 }, clientLast: null, minApp: 0 });
      expect(first.limits).toMatchObject({ bodyBytes: 1_048_576, pushCommits: 256, pushEvents: 1_000 });
      await server.push([ada.commit(['a-1']), ada.commit(['a-1'])]);
      const second = await server.hello({ lastClientSeq: 2 });
      expect(second.clientLast).toEqual({ seq: 2, id: 'a-2' });
      expect((await server.hello({ client: 'b' })).clientLast).toBeNull();
      expect((await server.hello({ log: 'log-2' })).head.g).toBe(0);
    });

    it('refuses to speak of a log that nobody made', async () => {
      const { server } = await setUp();
      for (const [route, message] of [
        ['pull', { log: 'log-9', base: start, limit: 1, maxBytes: 1 }],
        ['push', { log: 'log-9', base: start, client: 'a', commits: [], mode: 'own' }],
        ['common', { log: 'log-9', points: [] }],
      ] as const) {
        expect(await server.fail(route, message)).toMatchObject({ status: 404, error: 'UNKNOWN_LOG' });
      }
    });

    it('places a commit once, however often it is pushed', async () => {
      const { server, ada } = await setUp();
      const commits = [ada.commit(['a-1']), ada.commit(['a-1', 'a-2'])];
      await server.push(commits.slice(0, 1));
      expect(await server.results(commits)).toEqual([
        { type: 'duplicate', g: 1 },
        { type: 'accepted', g: 3 },
      ]);
      const again = await Promise.all([server.results(commits), server.results([...commits, ...commits])]);
      expect(again.flat().every(({ type }) => type === 'duplicate')).toBe(true);
      expect(await count(server)).toBe(3);
    });

    it('does not take the same commit twice in one push', async () => {
      const { server, ada } = await setUp();
      const commit = ada.commit(['a-1']);
      expect(await server.results([commit, commit])).toEqual([
        { type: 'accepted', g: 1 },
        { type: 'duplicate', g: 1 },
      ]);
    });

    it('refuses another commit under an id that is known', async () => {
      const { server, ada } = await setUp();
      await server.push([ada.commit(['a-1'], { id: 'x' })]);
      const other = ada.commit(['a-1'], { id: 'x' });
      expect(await server.results([other])).toEqual([{ type: 'rejected', code: 'ID_CONFLICT', permanent: true }]);
      expect(await count(server)).toBe(1);
    });

    it('computes every digest anew', async () => {
      const { server, ada } = await setUp();
      const commit = ada.commit(['a-1']);
      expect(await server.results([{ ...commit, digest: otherHash }])).toEqual([
        { type: 'rejected', code: 'DIGEST_MISMATCH', permanent: true },
      ]);
      const changed = { ...commit, commit: { ...commit.commit, recordedAt: 1 } };
      expect((await server.results([changed]))[0]).toMatchObject({ code: 'DIGEST_MISMATCH' });
    });

    it('refuses commits of another log and of another client', async () => {
      const { server, ada } = await setUp();
      const foreign = createAuthor('log-2', 'a').commit(['a-1']);
      expect(await server.results([foreign])).toEqual([{ type: 'rejected', code: 'WRONG_LOG', permanent: true }]);
      expect(await server.results([ada.commit(['a-1'])], { client: 'b' })).toEqual([
        { type: 'rejected', code: 'WRONG_CLIENT', permanent: true },
      ]);
    });

    it('tells a copied profile that it is one', async () => {
      const { server, ada } = await setUp();
      await server.push([ada.commit(['a-1'])]);
      const copy = ada.clone();
      await server.push([ada.commit(['a-1'], { id: 'original' })]);
      const commits = [copy.commit(['a-1'], { id: 'copy' }), copy.commit(['a-1'], { id: 'later' })];
      expect(await server.results(commits)).toEqual([{ type: 'forked', seq: 2 }]);
      // Its next number is free, and follows another commit than the one that is stored.
      expect(await server.results(commits.slice(1))).toEqual([{ type: 'forked', seq: 3 }]);
      expect(await server.results([createAuthor('log-1', 'a').commit(['a-1'], { id: 'anew' })])).toEqual([
        { type: 'forked', seq: 1 },
      ]);
      expect(await count(server)).toBe(2);
    });

    it('refuses a first commit that follows another', async () => {
      const { server, ada } = await setUp();
      expect(await server.results([ada.commit(['a-1'], { change: { prev: otherHash } })])).toEqual([
        { type: 'forked', seq: 1 },
      ]);
    });

    it('asks for what is missing, and looks at nothing after it', async () => {
      const { server, ada } = await setUp();
      const commits = [1, 2, 3, 4].map(() => ada.commit(['a-1']));
      expect(await server.results(commits.slice(2))).toEqual([{ type: 'gap', expected: 1 }]);
      await server.push(commits.slice(0, 1));
      expect(await server.results([commits[0], commits[3], commits[1]] as PushedCommit[])).toEqual([
        { type: 'duplicate', g: 1 },
        { type: 'gap', expected: 2 },
      ]);
      expect(await server.results(commits)).toEqual([
        { type: 'duplicate', g: 1 },
        { type: 'accepted', g: 2 },
        { type: 'accepted', g: 3 },
        { type: 'accepted', g: 4 },
      ]);
    });

    it('holds a commit to the revisions that it was decided on', async () => {
      const { server, ada } = await setUp();
      const bob = createAuthor('log-1', 'b');
      await server.push([bob.commit(['x', 'x'])]);
      const guard = (stream: string, revision: number) => ({ guard: { revisions: [{ stream, revision }] } });
      expect(await server.results([ada.clone().commit(['x'], guard('x', 0))])).toEqual([
        { type: 'conflict', stream: 'x', revision: 1 },
      ]);
      expect(await server.results([ada.clone().commit(['x'], guard('x', -1))])).toEqual([
        { type: 'conflict', stream: 'x', revision: 1 },
      ]);
      expect(await server.results([ada.clone().commit(['x'], guard('y', 0))])).toEqual([
        { type: 'conflict', stream: 'y', revision: -1 },
      ]);
      // Own earlier commits of the same push count.
      const commits = [ada.commit(['x', 'y'], guard('x', 1)), ada.commit(['x', 'z'], guard('x', 2))];
      const stale = ada.commit(['x'], guard('y', -1));
      const last = createAuthor('log-1', 'c').commit(['x'], guard('z', 0));
      expect(await server.results([...commits, stale])).toEqual([
        { type: 'accepted', g: 4 },
        { type: 'accepted', g: 6 },
        { type: 'conflict', stream: 'y', revision: 0 },
      ]);
      expect(await server.results([last])).toEqual([{ type: 'accepted', g: 7 }]);
    });

    it('answers with a conflict before it asks for what is missing, so that all that is stale is known at once', async () => {
      const { server, ada } = await setUp();
      await server.push([createAuthor('log-1', 'b').commit(['x'])]);
      const guard = (revision: number) => ({ guard: { revisions: [{ stream: 'x', revision }] } });
      const commits = [ada.commit(['x'], guard(-1)), ada.commit(['x'], guard(1)), ada.commit(['y']), ada.commit(['x'])];
      expect(await server.results(commits)).toEqual([
        { type: 'conflict', stream: 'x', revision: 0 },
        { type: 'conflict', stream: 'x', revision: 0 },
        { type: 'gap', expected: 1 },
      ]);
    });

    it('holds a commit to its append condition', async () => {
      const { server, ada } = await setUp();
      const bob = createAuthor('log-1', 'b');
      const booked = (stream: string, ...tags: string[]) => counted(stream, { type: 'Booked', tags });
      await server.push([bob.commit([counted('r-1'), booked('r-1', 'course', 'seat')])]);
      const attempt = (filter: object, after: number) =>
        server.results([ada.clone().commit(['r-9'], { guard: { condition: { failIfEventsMatch: [filter], after } } })]);
      const met = [{ type: 'conflict', stream: 'r-1', revision: 1, g: 2 }];
      expect(await attempt({ tags: ['seat'] }, 0)).toEqual(met);
      expect(await attempt({ tags: ['seat', 'course'], types: ['Booked', 'Other'] }, 1)).toEqual(met);
      expect(await attempt({ stream: 'r-1', types: ['Booked'] }, 0)).toEqual(met);
      expect(await attempt({}, 0)).toEqual([{ type: 'conflict', stream: 'r-1', revision: 0, g: 1 }]);
      const condition = {
        failIfEventsMatch: [{ tags: ['seat', 'other'] }, { stream: 'r-2' }, { types: [] }],
        after: 0,
      };
      const first = ada.commit([booked('r-3', 'seat')], { guard: { condition } });
      // What the same client wrote before is what its decision has seen.
      const own = { failIfEventsMatch: [{ tags: ['seat'] }], after: 2 };
      const second = ada.commit([booked('r-4', 'seat')], { guard: { condition: own } });
      expect(await server.results([first, second])).toEqual([
        { type: 'accepted', g: 3 },
        { type: 'accepted', g: 4 },
      ]);
      const foreign = bob.commit(['r-5'], { guard: { condition: own } });
      expect(await server.results([foreign])).toEqual([{ type: 'conflict', stream: 'r-3', revision: 0, g: 3 }]);
    });

    it('takes recovered commits out of order, and later the author’s own', async () => {
      const { server, ada } = await setUp();
      const bob = createAuthor('log-1', 'b');
      const lost = [1, 2, 3].map(() => bob.commit(['b-1']));
      await server.push([lost[0] as PushedCommit]);
      const [, second, third] = lost as [PushedCommit, PushedCommit, PushedCommit];
      const recover = { client: 'a', mode: 'recover' } as const;
      expect(await server.results([third, third], recover)).toEqual([
        { type: 'accepted', g: 2 },
        { type: 'duplicate', g: 2 },
      ]);
      expect(await server.results([ada.commit(['a-1'])])).toEqual([{ type: 'accepted', g: 3 }]);
      const fourth = bob.commit(['b-1']);
      expect(await server.results([second, third, fourth])).toEqual([
        { type: 'accepted', g: 4 },
        { type: 'duplicate', g: 2 },
        { type: 'accepted', g: 5 },
      ]);
      expect(checkChain(await server.readAll(), true)).toEqual([]);
    });

    it('keeps the order of what is recovered where one of it has to wait', async () => {
      const commit: Policy['commit'] = (_actor, { commandId }) => (commandId === 'b-2' ? { after: 5_000 } : 'allow');
      const { server } = await setUp({ authorise: { log: () => 'allow', commit } });
      const bob = createAuthor('log-1', 'b');
      const lost = [1, 2, 3].map(() => bob.commit(['b-1']));
      expect(await server.results(lost, { client: 'a', mode: 'recover' })).toEqual([
        { type: 'accepted', g: 1 },
        { type: 'retry', after: 5_000 },
      ]);
    });

    it('takes no commit whose author’s one before it has not, although it has another of that number', async () => {
      const { server } = await setUp();
      // A profile was copied. One copy's commit was lost, and was recovered by somebody else: it took no number.
      const [one, other] = [createAuthor('log-1', 'b'), createAuthor('log-1', 'b')];
      await server.push([one.commit(['b-1'], { id: 'recovered' })], { client: 'a', mode: 'recover' });
      const stale = other.commit(['b-1'], { id: 'stale', guard: { revisions: [{ stream: 'b-1', revision: -1 }] } });
      const next = other.commit(['b-2'], { id: 'next' });
      expect(await server.results([stale, next])).toEqual([
        { type: 'conflict', stream: 'b-1', revision: 0 },
        { type: 'gap', expected: 1 },
      ]);
      expect(await server.results([next])).toEqual([{ type: 'gap', expected: 1 }]);
      expect(await count(server)).toBe(1);
      // Who wrote what was recovered goes on.
      expect(await server.results([one.commit(['b-2'], { id: 'on' })])).toEqual([{ type: 'accepted', g: 2 }]);
    });

    it('flags what was recovered', async () => {
      const { server, store } = await setUp();
      await server.push([createAuthor('log-1', 'b').commit(['b-1'])], { client: 'a', mode: 'recover' });
      const [stored] = await store.readCommits('log-1', 0, { events: 9, bytes: 9 });
      expect(stored).toMatchObject({ isRecovered: true, actor: 'ada', receivedAt: 1_000_000 });
    });

    it('asks the policy for every commit, with the heads of its streams', async () => {
      const asked: unknown[] = [];
      const authorise: Policy = {
        log: () => 'allow',
        commit: (actor, commit, { heads, mode }) => {
          asked.push([actor.id, commit.commandId, [...heads], mode]);
          if (commit.commandId === 'a-2') return { deny: 'READ_ONLY' };
          if (commit.commandId === 'later') return { deny: 'CLOSED', permanent: false };
          return commit.commandId === 'busy' ? { after: 5_000 } : 'allow';
        },
      };
      const { server, ada } = await setUp({ authorise });
      const results = await server.results([
        ada.commit(['x', 'x']),
        ada.clone().commit(['x', 'y']),
        ada.clone().commit(['x'], { id: 'later' }),
        ada.clone().commit(['x'], { id: 'busy' }),
        ada.commit(['x'], { id: 'fine' }),
      ]);
      expect(results).toEqual([
        { type: 'accepted', g: 2 },
        { type: 'rejected', code: 'READ_ONLY', permanent: true },
        { type: 'rejected', code: 'CLOSED', permanent: false },
        { type: 'retry', after: 5_000 },
        { type: 'accepted', g: 3 },
      ]);
      expect(asked.slice(0, 2)).toEqual([
        ['ada', 'a-1', [['x', -1]], 'own'],
        [
          'ada',
          'a-2',
          [
            ['x', 1],
            ['y', -1],
          ],
          'own',
        ],
      ]);
    });

    it('lets a log grow as far as it may, and says so to who comes after', async () => {
      const note = (length: number) => counted('a-1', { data: 'ž'.repeat(length) });
      const { server, store, ada } = await setUp({ limits: { logBytes: 3_000 } });
      const full = { type: 'rejected', code: 'LOG_FULL', permanent: false };
      const first = ada.commit([note(400)]);
      const sizeOf = (pushed: PushedCommit) => Buffer.byteLength(toCanonicalCommit(pushed.commit).text);
      expect(await server.results([first, ada.clone().commit([note(1_000)])])).toEqual([
        { type: 'accepted', g: 1 },
        full,
      ]);
      expect((await store.findLog('log-1'))?.bytes).toBe(sizeOf(first));
      // What fits still does, and what is there already is answered as ever.
      const second = ada.commit([note(10)]);
      expect(await server.results([first, second])).toEqual([
        { type: 'duplicate', g: 1 },
        { type: 'accepted', g: 2 },
      ]);
      expect((await store.findLog('log-1'))?.bytes).toBe(sizeOf(first) + sizeOf(second));
      expect((await store.listLogs()).map(({ bytes }) => bytes)).toEqual([sizeOf(first) + sizeOf(second)]);
    });

    it('changes nothing where a push fails in the middle', async () => {
      let isBroken = true;
      const authorise: Policy = {
        log: () => 'allow',
        commit: (_actor, { commandId }) => {
          if (isBroken && commandId === 'a-3') throw new Error('the policy is broken');
          return 'allow';
        },
      };
      const { server, ada } = await setUp({ authorise });
      const commits = [ada.commit(['a-1']), ada.commit(['a-1']), ada.commit(['a-1'])];
      const message = { log: 'log-1', base: start, client: 'a', commits, mode: 'own' };
      expect(await server.fail('push', message)).toMatchObject({ status: 500, error: 'FAILED' });
      expect(await server.readAll()).toEqual([]);
      expect((await server.hello()).clientLast).toBeNull();
      isBroken = false;
      expect((await server.results(commits)).map(({ type }) => type)).toEqual(['accepted', 'accepted', 'accepted']);
    });

    it('gives positions without gaps to eight that push at once', async () => {
      const { server } = await setUp();
      const acknowledged: string[] = [];
      await Promise.all(
        Array.from({ length: 8 }, async (_, index) => {
          const author = createAuthor('log-1', `client-${index}`);
          for (let round = 0; round < 12; round += 1) {
            const commits = [author.commit(['shared', `own-${index}`]), author.commit(['shared'])];
            const { results } = await server.push(commits);
            for (const { commitId, result } of results) {
              expect(result.type).toBe('accepted');
              acknowledged.push(commitId);
            }
          }
        }),
      );
      const all = await server.readAll();
      expect(checkChain(all)).toEqual([]);
      expect(all.map(({ commit }) => commit.commandId).sort()).toEqual(acknowledged.sort());
      expect(await count(server)).toBe(8 * 12 * 3);
    });

    it('judges pushes that come at once as it would one after the other', async () => {
      const stores = [await factory.open(), createMemorySyncStore()] as const;
      for (const store of stores) await store.createLog('log-1', 'bank');
      const random = createRandom(7);
      const below = (end: number) => Math.floor(random() * end);
      const authors = ['a', 'b', 'c'].map((name) => createAuthor('log-1', name));
      const sent: PushedCommit[] = [];
      for (let round = 0; round < 20; round += 1) {
        const pushes = Array.from({ length: 6 }, () => {
          const author = pickFrom(authors, below);
          // Some go on from where the author stood, as a copied profile does.
          const writer = below(6) === 0 ? author.clone() : author;
          const stream = `s-${below(4)}`;
          const filter = { stream: `s-${below(4)}` };
          const guards: readonly SyncGuard[] = [
            {},
            { revisions: [{ stream, revision: below(12) - 1 }] },
            { condition: { failIfEventsMatch: [filter], after: below(40) } },
          ];
          const id = `${author.client}-${sent.length}`;
          const own = Array.from({ length: 1 + below(3) }, (_, index) =>
            writer.commit([stream, `s-${below(4)}`], { id: `${id}-${index}`, guard: pickFrom(guards, below) }),
          );
          sent.push(...own);
          const again = below(3) === 0 ? [pickFrom(sent, below)] : [];
          const mode: PushMode = below(5) === 0 ? 'recover' : 'own';
          const commits = below(8) === 0 ? own.slice(1) : [...again, ...own];
          return { log: 'log-1', base: start, client: author.client, commits, mode };
        });
        const outcomes = stores.map((store) =>
          Promise.all(
            pushes.map((request) => {
              const push = checkPush(request, defaultLimits);
              const context = { actor: { id: 'ada' }, mayPush: () => 'allow' as const, limits: defaultLimits, now: 0 };
              return store.write('log-1', (transaction) => pushCommits(transaction, push, context), push.look);
            }),
          ),
        );
        expect(await outcomes[0]).toEqual(await outcomes[1]);
      }
      const all = stores.map(async (store) =>
        (await store.readCommits('log-1', 0, { events: 1e6, bytes: 1e9 })).map(({ g, oh, text, isRecovered }) => ({
          g,
          oh,
          text,
          isRecovered,
        })),
      );
      expect(await all[0]).toEqual(await all[1]);
      expect((await all[0])?.length).toBeGreaterThan(20);
    });

    it('stores what comes at once though the rules throw at one of them', async () => {
      const authorise: Policy = {
        log: () => 'allow',
        commit: (_actor, { client, commandId }) => {
          if (client === 'client-3' && commandId === 'client-3-2') throw new Error('the policy is broken');
          return 'allow';
        },
      };
      const { server } = await setUp({ authorise });
      const statuses = await Promise.all(
        Array.from({ length: 8 }, async (_, index) => {
          const author = createAuthor('log-1', `client-${index}`);
          const commits = [author.commit(['s']), author.commit(['s'])];
          return (await server.post('push', pushOf(commits))).status;
        }),
      );
      expect(statuses).toEqual([200, 200, 200, 500, 200, 200, 200, 200]);
      const all = await server.readAll();
      expect(checkChain(all)).toEqual([]);
      expect(all).toHaveLength(14);
      expect(all.filter(({ commit }) => commit.client === 'client-3')).toEqual([]);
    });

    it('stores what comes at once though the rules never answer for one of them', async () => {
      let answerLate = () => {};
      const late = new Promise<'allow'>((resolve) => {
        answerLate = () => resolve('allow');
      });
      const authorise: Policy = {
        log: () => 'allow',
        commit: (_actor, { client }) => (client === 'client-3' ? late : 'allow'),
      };
      const { server } = await setUp({ authorise, limits: { policyMs: 50 } });
      const pushes = Array.from({ length: 8 }, (_, index) => {
        const author = createAuthor('log-1', `client-${index}`);
        return pushOf([author.commit(['s']), author.commit(['s'])]);
      });
      const answers = await Promise.all(pushes.map((push) => server.post('push', push)));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 503, 200, 200, 200, 200]);
      expect(answers[3]?.body).toMatchObject({ error: 'UNAVAILABLE', after: 2_000 });
      // It has no say in what comes after, and can be asked again.
      answerLate();
      expect((await server.results(pushes[3]?.commits ?? [])).map(({ type }) => type)).toEqual([
        'accepted',
        'accepted',
      ]);
      const all = await server.readAll();
      expect(checkChain(all)).toEqual([]);
      expect(all).toHaveLength(16);
    });

    it('lets one of eight through where all decided on the same revision', async () => {
      const { server } = await setUp();
      const results = await Promise.all(
        Array.from({ length: 8 }, (_, index) =>
          server.results([
            createAuthor('log-1', `client-${index}`).commit(['seat'], {
              guard: { revisions: [{ stream: 'seat', revision: -1 }] },
            }),
          ]),
        ),
      );
      expect(results.flat().filter(({ type }) => type === 'accepted')).toHaveLength(1);
      expect(results.flat().filter(({ type }) => type === 'conflict')).toHaveLength(7);
    });

    it('gives pages that end where commits end', async () => {
      const { server, ada } = await setUp();
      const sizes = [3, 1, 5, 2, 1, 1];
      const commits = sizes.map((size) => ada.commit(Array(size).fill('a-1')));
      await server.push(commits);
      const pageOf = async (base: SyncBase, limit: number, maxBytes = 1e6) =>
        (await server.pull({ base, limit, maxBytes })).commits.map(({ commit }) => commit.events.length);
      expect(await pageOf(start, 1)).toEqual([3]);
      expect(await pageOf(start, 4)).toEqual([3, 1]);
      expect(await pageOf(start, 8)).toEqual([3, 1]);
      expect(await pageOf(start, 9)).toEqual([3, 1, 5]);
      expect(await pageOf(start, 1e9)).toEqual(sizes);
      const bytes = commits.map(({ commit }) => new TextEncoder().encode(JSON.stringify(commit)).length);
      expect(await pageOf(start, 100, 1)).toEqual([3]);
      expect(await pageOf(start, 100, (bytes[0] ?? 0) + (bytes[1] ?? 0))).toEqual([3, 1]);
      expect(await pageOf(start, 100, (bytes[0] ?? 0) + (bytes[1] ?? 0) - 1)).toEqual([3]);
      expect(checkChain(await server.readAll('log-1', 2))).toEqual([]);
      const { head } = await server.pull();
      expect(await server.pull({ base: { epoch: '', ...head } })).toMatchObject({ commits: [], head });
    });

    it('finds the last place that two histories share, from sparse points', async () => {
      const { server, ada } = await setUp();
      await server.push(Array.from({ length: 40 }, () => ada.commit(['a-1'])));
      const all = await server.readAll();
      const at = (g: number) => ({ g, oh: all[g - 1]?.oh ?? '' });
      const gone = (g: number) => ({ g, oh: otherHash });
      expect(await server.common([gone(40), gone(39), gone(38), at(34), at(18), { g: 0, oh: start.oh }])).toEqual({
        g: 34,
      });
      expect(await server.common([gone(1_000), gone(900), gone(40)])).toEqual({ g: 0 });
      expect(await server.common([])).toEqual({ g: 0 });
      expect(await server.common([at(40), at(39)])).toEqual({ g: 40 });
    });

    it('refuses a cursor of another history, for reading and for writing', async () => {
      const { server, store, ada } = await setUp();
      const { head } = await server.push([ada.commit(['a-1', 'a-1']), ada.commit(['a-1'])]);
      const inside = { epoch: '', g: 1, oh: head.oh };
      const [other, beyond] = [
        { epoch: store.epoch, g: 3, oh: otherHash },
        { epoch: store.epoch, g: 9, oh: head.oh },
      ];
      const commits = [ada.commit(['a-1'])];
      for (const base of [inside, other, beyond]) {
        const diverged = { status: 409, error: 'DIVERGED', head, epoch: store.epoch };
        expect(await server.fail('pull', { log: 'log-1', base, limit: 9, maxBytes: 99 })).toMatchObject(diverged);
        const message = { log: 'log-1', base, client: 'a', commits, mode: 'own' };
        expect(await server.fail('push', message)).toMatchObject(diverged);
      }
      expect(await count(server)).toBe(3);
      expect(await server.results(commits, { base: { epoch: 'another', ...head } })).toEqual([
        { type: 'accepted', g: 4 },
      ]);
    });

    it('keeps logs apart', async () => {
      const { server } = await setUp();
      await server.hello({ log: 'log-2' });
      await server.push([createAuthor('log-1', 'a').commit(['s'], { id: 'same' })]);
      const other = createAuthor('log-2', 'a').commit(['s', 's'], {
        id: 'same',
        guard: { revisions: [{ stream: 's', revision: -1 }] },
      });
      expect(await server.results([other], { log: 'log-2' })).toEqual([{ type: 'accepted', g: 2 }]);
      expect((await server.readAll('log-2')).map(({ commit }) => commit.logId)).toEqual(['log-2']);
    });

    it('takes a full push', async () => {
      const { server, ada } = await setUp();
      const commits = Array.from({ length: 250 }, () => ada.commit(['a', 'b', 'c', 'd']));
      expect((await server.push(commits)).head.g).toBe(1_000);
      expect(checkChain(await server.readAll())).toEqual([]);
    });

    it('mints another epoch when it is told to', async () => {
      const { server, store } = await setUp();
      const before = store.epoch;
      await store.renewEpoch();
      expect(store.epoch).not.toBe(before);
      expect((await server.hello()).epoch).toBe(store.epoch);
    });

    it('is restored from a dump, and goes on', async () => {
      const store = await factory.open();
      await restoreStore(await createDump(), store);
      const server = createTestServer(store);
      expect(await count(server)).toBe(600);
      expect(await server.results([createAuthor('log-1', 'b').commit(['a-1'])])).toEqual([
        { type: 'accepted', g: 601 },
      ]);
    });

    const { reopen } = factory;
    if (reopen === undefined) return;

    it.each([
      ['has stored a part is not opened again', 1],
      ['has stored nothing is as if it had not begun', 0],
    ])('after a restore that %s', async (_what, writes) => {
      const store = await factory.open();
      let left = writes;
      const failing: SyncStore = {
        ...store,
        write: async (...given) => {
          if (left === 0) throw new Error('the disk is full');
          left -= 1;
          return store.write(...given);
        },
      };
      await expect(restoreStore(await createDump(), failing)).rejects.toThrow('the disk is full');
      if (writes > 0) {
        await expect(reopen()).rejects.toThrow('A restore has not come to its end here');
        return;
      }
      const server = createTestServer(await reopen());
      await server.hello();
      await server.push([createAuthor('log-1', 'a').commit(['a-1'])]);
      expect(await count(createTestServer(await reopen()))).toBe(1);
    });

    it('is opened again after a restore that came to its end', async () => {
      await restoreStore(await createDump(), await factory.open());
      expect(await count(createTestServer(await reopen()))).toBe(600);
    });

    it('goes on with what another server stored', async () => {
      const { server, store, ada } = await setUp();
      await server.push([ada.commit(['a-1'])]);
      const second = await reopen();
      expect(second.epoch).toBe(store.epoch);
      const other = createTestServer(second);
      expect(await other.results([ada.commit(['a-1'])])).toEqual([{ type: 'accepted', g: 2 }]);
      expect(await count(server)).toBe(2);
    });
  });
}

/** Of a log that takes several writes to restore. */
async function createDump(): Promise<() => AsyncIterable<string>> {
  const store = createMemorySyncStore();
  const server = createTestServer(store);
  await server.hello();
  const ada = createAuthor('log-1', 'a');
  for (let pushes = 0; pushes < 3; pushes += 1) {
    await server.push(Array.from({ length: 200 }, () => ada.commit(['a-1'])));
  }
  return () => dumpStore(store);
}

function pickFrom<Value>(list: readonly Value[], below: (end: number) => number): Value {
  return list[below(list.length)] as Value;
}
