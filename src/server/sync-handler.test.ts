import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { parseSyncError } from '../protocol/parse-sync-reply.ts';
import type { PushedCommit } from '../protocol/sync-messages.ts';
import { counted, createAuthor } from './fixtures/author.ts';
import { createTestServer, helloOf, pullOf, pushOf, start } from './fixtures/test-server.ts';
import { createMemorySyncStore } from './memory-sync-store.ts';
import { nextTurn } from './next-turn.ts';
import type { CommitVerdict, Policy } from './policy.ts';
import { isDeeperThan } from './read-body.ts';
import { createSyncHandler, type ServerLogEntry, type SyncHandlerOptions } from './sync-handler.ts';

async function setUp(options: Partial<SyncHandlerOptions> = {}) {
  const store = createMemorySyncStore();
  await store.createLog('log-1', 'bank');
  return { store, server: createTestServer(store, options), ada: createAuthor('log-1', 'a') };
}

const messages = {
  hello: helloOf(),
  pull: pullOf(),
  push: pushOf([]),
  common: { log: 'log-1', points: [] },
};

describe('a server', () => {
  it('lets nobody in without a token that it knows', async () => {
    const { server } = await setUp();
    for (const authorization of ['', 'Bearer', 'Bearer wrong', 'Basic secret', 'Bearer secret x']) {
      for (const [route, message] of Object.entries(messages)) {
        const { status, headers, body } = await server.post(route, message, { authorization });
        expect(status).toBe(401);
        expect(headers.get('www-authenticate')).toBe('Bearer');
        expect(body).toMatchObject({ error: 'AUTH' });
      }
      expect((await server.send('/sync/events?log=log-1', { headers: { authorization } })).status).toBe(401);
      expect((await server.send('/metrics', { headers: { authorization } })).status).toBe(401);
    }
  });

  it('knows the scheme of a token in any case', async () => {
    const { server } = await setUp();
    for (const authorization of ['Bearer secret', 'bearer secret', 'BEARER secret']) {
      expect((await server.post('hello', helloOf(), { authorization })).status).toBe(200);
    }
  });

  it('asks for a token before it reads the body', async () => {
    const { server } = await setUp();
    let isRead = false;
    const body = new ReadableStream(
      {
        pull: () => {
          isRead = true;
        },
      },
      { highWaterMark: 0 },
    );
    const { status } = await server.send('/sync/push', {
      method: 'POST',
      body,
      duplex: 'half',
      headers: { authorization: 'Bearer wrong' },
    });
    expect([status, isRead]).toEqual([401, false]);
  });

  it('denies all that its policy does not allow, and commits for now where it has no rule', async () => {
    const { server, ada } = await setUp({ authorise: {} });
    for (const [route, message] of Object.entries(messages)) {
      expect(await server.fail(route, message)).toMatchObject({ status: 403, error: 'FORBIDDEN' });
      // Whether the log is there is not told.
      expect(await server.fail(route, { ...message, log: 'log-9' })).toMatchObject({ status: 403 });
    }
    const readOnly = await setUp({ authorise: { log: () => 'allow' } });
    expect(await readOnly.server.results([ada.commit(['a-1'])])).toEqual([
      { type: 'rejected', code: 'FORBIDDEN', permanent: false },
    ]);
  });

  it('passes on what its policy says, and fails where that cannot be read', async () => {
    const push = async (verdict: CommitVerdict) => {
      const { server, ada } = await setUp({ authorise: { log: () => 'allow', commit: () => verdict } });
      const { status } = await server.post('push', pushOf([ada.clone().commit(['a-1'])]));
      return status === 200 ? server.results([ada.commit(['a-1'])]) : status;
    };
    expect(await push({ after: 1_500.5 })).toEqual([{ type: 'retry', after: 1_501 }]);
    expect(await push({ after: -5 })).toEqual([{ type: 'retry', after: 0 }]);
    const denied = { type: 'rejected', code: 'NOT_NOW', permanent: false };
    expect(await push({ deny: 'NOT_NOW', permanent: false })).toEqual([denied]);
    for (const verdict of [{ deny: '' }, { deny: 'x'.repeat(257) }, { after: Number.NaN }, { after: Infinity }]) {
      expect(await push(verdict)).toBe(500);
    }
  });

  it('lets nobody in under an id that no dump could be restored with', async () => {
    for (const id of ['', 'x'.repeat(1_025), 'ada\u0000', '\ud800', 7 as never]) {
      const entries: ServerLogEntry[] = [];
      const { server, store, ada } = await setUp({ authenticate: () => ({ id }), log: (entry) => entries.push(entry) });
      const message = pushOf([ada.commit(['a-1'])]);
      expect(await server.fail('push', message)).toMatchObject({ status: 500, error: 'FAILED' });
      expect((await store.findLog('log-1'))?.head.g).toBe(0);
      const detail = expect.stringContaining('The id that authenticate gives is not a text of 1 to 1024 characters');
      expect(entries).toMatchObject([{ level: 'error', error: 'FAILED', detail }]);
    }
    const { server } = await setUp({ authenticate: () => ({ id: 'x'.repeat(1_024) }) });
    expect((await server.hello()).head.g).toBe(0);
  });

  it('makes logs for those that may, and shows them to those that may', async () => {
    const authorise: Policy = {
      log: ({ id }, _log, intent) => (intent === 'read' || id === 'ada' ? 'allow' : { deny: 'NOT_YOURS' }),
    };
    const { server, store } = await setUp({ authorise });
    const denied = await server.post('hello', helloOf({ log: 'new' }), { authorization: 'Bearer other' });
    expect(denied).toMatchObject({ status: 403, body: { text: 'The log is not open to you: NOT_YOURS.' } });
    expect(await store.findLog('new')).toBeUndefined();
    expect((await server.hello({ log: 'new' })).head.g).toBe(0);
    expect((await server.post('hello', helloOf({ log: 'new' }), { authorization: 'Bearer other' })).status).toBe(200);
  });

  it('asks for a newer app where the old one may not sync', async () => {
    const { server } = await setUp({ minApp: 3 });
    const upgrade = { status: 426, error: 'UPGRADE_REQUIRED', minApp: 3, proto: [1, 1] };
    expect(await server.fail('hello', helloOf())).toMatchObject(upgrade);
    expect(await server.fail('hello', helloOf({ app: { name: 'bank', version: 3 }, proto: [2, 4] }))).toMatchObject(
      upgrade,
    );
    expect((await server.hello({ app: { name: 'bank', version: 3 }, proto: [1, 4] })).proto).toBe(1);
    expect(await server.fail('hello', helloOf({ app: { name: 'shop', version: 3 } }))).toMatchObject({
      status: 409,
      error: 'APP_MISMATCH',
    });
  });

  it('says what is wrong with a message, and changes nothing', async () => {
    const { server, store, ada } = await setUp();
    const commit = ada.commit(['a-1']);
    const bad = { ...commit, commit: { ...commit.commit, clientSeq: 0 } };
    expect(await server.fail('push', pushOf([bad]))).toMatchObject({
      status: 400,
      error: 'BAD_REQUEST',
      path: 'commits.0.commit.clientSeq',
    });
    for (const body of ['', '{', 'null', '[]', '"x"', '{"log":1e999}', '{"__proto__":{}}', '\ud800']) {
      const { status, body: error } = await server.send('/sync/push', { method: 'POST', body });
      expect(status, body).toBe(400);
      expect(error).toMatchObject({ error: 'BAD_REQUEST' });
    }
    const { status } = await server.send('/sync/push', { method: 'POST', body: new Uint8Array([0x22, 0xff, 0x22]) });
    expect(status).toBe(400);
    expect((await store.findLog('log-1'))?.head.g).toBe(0);
    expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain('log');
  });

  it('answers whatever is sent, and never with a fault of its own', async () => {
    const { server } = await setUp();
    const valid = JSON.stringify(pushOf([createAuthor('log-1', 'a').commit(['a-1', 'b-1'])]));
    const body = fc.oneof(
      fc.json(),
      fc.string({ unit: 'binary' }),
      fc
        .tuple(fc.nat(valid.length), fc.nat(5), fc.string({ maxLength: 4 }))
        .map(([at, count, text]) => valid.slice(0, at) + text + valid.slice(at + count)),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('hello', 'pull', 'push', 'common'), body, async (route, text) => {
        const { status, body: error } = await server.send(`/sync/${route}`, { method: 'POST', body: text });
        expect(status).toBeLessThan(500);
        if (status !== 200) expect(parseSyncError(error).ok).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('refuses what is too large before it reads it', async () => {
    const { server } = await setUp();
    let sent = 0;
    const endless = () =>
      new ReadableStream({
        pull: (controller) => {
          sent += 65_536;
          controller.enqueue(new Uint8Array(65_536).fill(0x20));
        },
      });
    const tooLarge = { status: 413, body: { error: 'TOO_LARGE' } };
    const told = { 'content-length': '1048577' };
    const init = { method: 'POST', duplex: 'half' } as const;
    expect(await server.send('/sync/push', { ...init, body: endless(), headers: told })).toMatchObject(tooLarge);
    expect(sent).toBeLessThan(200_000);
    sent = 0;
    expect(await server.send('/sync/push', { ...init, body: endless() })).toMatchObject(tooLarge);
    expect(sent).toBeLessThan(1_400_000);
    const deep = `${'['.repeat(73)}${']'.repeat(73)}`;
    expect(await server.send('/sync/push', { ...init, body: deep })).toMatchObject(tooLarge);
    expect((await server.send('/sync/push', { ...init, body: '['.repeat(500_000) })).status).toBe(413);
    const text = await server.send('/sync/push', { ...init, body: '{}', headers: { 'content-type': 'text/plain' } });
    expect(text).toMatchObject({ status: 415, body: { error: 'UNSUPPORTED_MEDIA_TYPE' } });
  });

  it('takes no more commits and events than it says, and goes on past one that is too large', async () => {
    const { server, ada } = await setUp({ limits: { pushCommits: 3, pushEvents: 10, eventBytes: 100 } });
    const many = [1, 2, 3, 4].map(() => ada.clone().commit(['a-1']));
    expect(await server.fail('push', pushOf(many))).toMatchObject({ status: 413, error: 'TOO_LARGE' });
    const long = [1, 2].map(() => ada.clone().commit(Array(6).fill('a-1')));
    expect(await server.fail('push', pushOf(long))).toMatchObject({ status: 413, error: 'TOO_LARGE' });
    const rejected = { type: 'rejected', code: 'COMMIT_TOO_LARGE', permanent: true };
    const results = await server.results([
      ada.clone().commit([counted('a-1', { data: 'ž'.repeat(50) })]),
      ada.clone().commit(Array(11).fill('a-1'), { id: 'long' }),
      ada.clone().commit([counted('a-1', { data: 'ž'.repeat(49) })], { id: 'fits' }),
    ]);
    expect(results).toEqual([rejected, rejected, { type: 'accepted', g: 1 }]);
  });

  it('takes no commit that no client could pull, however large a body it takes', { timeout: 30_000 }, async () => {
    const { server, ada } = await setUp({ limits: { bodyBytes: 8 * 1_048_576, eventBytes: 262_144 } });
    const event = counted('a-1', { data: Array(15_000).fill(1e15) });
    // Canonical it is more than three times as long.
    const body = JSON.stringify(pushOf([ada.commit(Array(62).fill(event))])).replaceAll(String(1e15), '1e15');
    const rejected = { type: 'rejected', code: 'COMMIT_TOO_LARGE', permanent: true };
    const answer = await server.send('/sync/push', { method: 'POST', body });
    expect(answer.body).toMatchObject({ results: [{ result: rejected }] });
  });

  it('does not start with limits that its clients cannot read, or that no message of theirs can have', () => {
    const create = (options: Partial<SyncHandlerOptions>) => () =>
      createTestServer(createMemorySyncStore(), { ...options });
    for (const [limits, text] of [
      [{ pushCommits: 257 }, 'The limit pushCommits is 257, and has to be a whole number from 1 to 256.'],
      [{ pushEvents: 1_000_001 }, 'from 1 to 1000000.'],
      [{ eventBytes: 262_145 }, 'from 1 to 262144.'],
      [{ pageEvents: 100_001 }, 'from 1 to 100000.'],
      [{ bodyBytes: Number.POSITIVE_INFINITY }, 'The limit bodyBytes is Infinity'],
      [{ pageBytes: 0.5 }, 'The limit pageBytes is 0.5'],
      [{ jsonDepth: 0 }, 'The limit jsonDepth is 0'],
    ] as const) {
      expect(create({ limits })).toThrow(text);
    }
    expect(create({ minApp: 1.5 })).toThrow('minApp is 1.5, and has to be a whole number from 0');
    expect(create({ limits: { pushCommits: 256, pushEvents: 1_000_000, eventBytes: 262_144 } })).not.toThrow();
  });

  it('slows down who asks too often, and lets others through', async () => {
    const { server } = await setUp({ limits: { requestsPerSecond: 2, requestBurst: 3 } });
    for (let count = 0; count < 3; count += 1) await server.hello();
    const { status, headers, body } = await server.post('hello', helloOf());
    expect([status, headers.get('retry-after'), body]).toMatchObject([429, '1', { error: 'THROTTLED', after: 500 }]);
    expect((await server.post('hello', helloOf(), { authorization: 'Bearer other' })).status).toBe(200);
    server.pass(500);
    await server.hello();
    expect((await server.post('hello', helloOf())).status).toBe(429);
  });

  it('slows down who pushes too much', async () => {
    const { server, ada } = await setUp({ limits: { eventsPerSecond: 10, eventBurst: 15 } });
    const push = () => server.post('push', pushOf([ada.clone().commit(Array(10).fill('a-1'))]));
    expect((await push()).status).toBe(200);
    // The bucket may be overdrawn once, so that no push is too large for ever.
    expect((await push()).status).toBe(200);
    expect(await push()).toMatchObject({ status: 429, body: { error: 'THROTTLED', after: 600 } });
    server.pass(600);
    expect((await push()).status).toBe(200);
  });

  it('speaks to the pages that are listed, and to no other', async () => {
    const origins = ['https://app.example'];
    const { server } = await setUp({ origins });
    const ask = (origin: string, method = 'POST') =>
      server.send('/sync/hello', {
        method,
        headers: { origin },
        ...(method === 'POST' ? { body: JSON.stringify(helloOf()) } : {}),
      });
    const allowed = await ask('https://app.example');
    expect(allowed.status).toBe(200);
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect(allowed.headers.get('access-control-allow-credentials')).toBeNull();
    expect(allowed.headers.get('vary')).toBe('origin');
    expect((await ask('http://sync.test')).status).toBe(200);
    for (const origin of ['https://evil.example', 'https://app.example.evil.example', 'null', 'http://app.example']) {
      const denied = await ask(origin);
      expect(denied).toMatchObject({ status: 403, body: { error: 'FORBIDDEN' } });
    }
    const preflight = await server.handler(
      new Request('http://sync.test/sync/push', { method: 'OPTIONS', headers: { origin: 'https://app.example' } }),
    );
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toBe('authorization, content-type');
    const error = await server.send('/sync/hello', {
      method: 'POST',
      body: '{',
      headers: { origin: 'https://app.example' },
    });
    expect(error.headers.get('access-control-allow-origin')).toBe('https://app.example');
  });

  it('lets a page that is not listed read why, and nothing else, and tells its operator', async () => {
    const entries: ServerLogEntry[] = [];
    let asked = 0;
    const authenticate = () => {
      asked += 1;
      return undefined;
    };
    const { server } = await setUp({ authenticate, log: (entry) => entries.push(entry) });
    const origin = 'https://shelf.example';
    const preflight = await server.handler(
      new Request('http://sync.test/sync/hello', { method: 'OPTIONS', headers: { origin } }),
    );
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, origin]);
    const denied = await server.send('/sync/hello', { method: 'POST', headers: { origin }, body: '{' });
    expect(denied.status).toBe(403);
    expect(denied.headers.get('access-control-allow-origin')).toBe(origin);
    expect(denied.body).toEqual({
      error: 'FORBIDDEN',
      text: `Pages of ${origin} may not speak to the server: list it (varve serve --origin ${origin}).`,
    });
    const file = await server.send('/sync/hello', { method: 'POST', headers: { origin: 'null' }, body: '{' });
    expect(file.body).toMatchObject({ text: expect.stringContaining('Pages without an origin') });
    expect(asked).toBe(0);
    expect(entries.map(({ level, status, origin: of }) => [level, status, of])).toEqual([
      ['debug', 204, undefined],
      ['info', 403, origin],
      ['info', 403, 'null'],
    ]);
  });

  it('speaks to pages of its own host, also where a proxy ends TLS before it', async () => {
    const { server } = await setUp();
    const ask = async (origin: string) =>
      (await server.send('/sync/hello', { method: 'POST', headers: { origin }, body: JSON.stringify(helloOf()) }))
        .status;
    expect(await ask('https://sync.test')).toBe(200);
    for (const origin of ['https://sync.test:8443', 'https://sync.test.evil.example', 'ftp://sync.test', 'null', '']) {
      expect(await ask(origin), origin).toBe(403);
    }
  });

  it('answers below any path', async () => {
    const { server } = await setUp();
    expect((await server.send('/api/v1/sync/hello', { method: 'POST', body: JSON.stringify(helloOf()) })).status).toBe(
      200,
    );
    expect((await server.send('/api/health', { headers: { authorization: '' } })).status).toBe(200);
    expect((await server.send('/api/metrics')).body).toContain(
      'varve_requests_total{route="/sync/hello",status="200"} 1',
    );
    for (const path of ['/apisync/hello/', '/sync/hello/x', '/sync', '/xhealth']) {
      expect((await server.send(path)).status, path).toBe(404);
    }
  });

  it('answers other addresses and methods with what they are', async () => {
    const { server } = await setUp();
    expect(await server.send('/')).toMatchObject({ status: 404, body: { error: 'NOT_FOUND' } });
    expect((await server.send('/constructor')).status).toBe(404);
    expect(await server.send('/sync/push')).toMatchObject({ status: 405, body: { error: 'METHOD_NOT_ALLOWED' } });
    expect((await server.send('/health', { method: 'POST' })).status).toBe(405);
    const health = await server.send('/health', { headers: { authorization: '' } });
    expect(health).toMatchObject({ status: 200, body: { status: 'ok' } });
  });

  it('counts what it does', async () => {
    const { server, ada } = await setUp();
    await server.push([ada.commit(['a-1', 'a-1'])]);
    await server.pull();
    const { body } = await server.send('/metrics');
    expect(body).toContain('varve_requests_total{route="/sync/push",status="200"} 1\n');
    expect(body).toContain('varve_push_results_total{result="accepted"} 1\n');
    expect(body).toContain('varve_events_stored_total 2\n');
    expect(body).toContain('varve_commits_sent_total 1\n');
    expect(body).toContain('# TYPE varve_open_streams gauge\nvarve_open_streams 0\n');
  });

  it('writes down every answer without what was sent', async () => {
    const entries: ServerLogEntry[] = [];
    const authorise: Policy = {
      log: () => 'allow',
      commit: () => {
        throw new TypeError('private\n    at private');
      },
    };
    const { server, ada } = await setUp({ authorise, log: (entry) => entries.push(entry) });
    await server.pull();
    await server.post('push', pushOf([ada.commit([counted('private-stream', { data: 'private-data' })])]));
    await server.send('/sync/push?token=private-query', { method: 'POST', body: '{"private": "text' });
    expect(entries).toEqual([
      { level: 'debug', route: '/sync/pull', status: 200, ms: 0, actor: 'ada' },
      {
        level: 'error',
        route: '/sync/push',
        status: 500,
        ms: 0,
        actor: 'ada',
        error: 'FAILED',
        detail: expect.stringMatching(/^TypeError {2}at .*sync-handler\.test\.ts:\d+:\d+/),
      },
      { level: 'debug', route: '/sync/push', status: 400, ms: 0, actor: 'ada', error: 'BAD_REQUEST' },
    ]);
    expect(JSON.stringify(entries)).not.toMatch(/private|secret/);
  });

  it('prints its errors where nobody has given it a log', async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    onTestFinished(() => printed.mockRestore());
    const store = createMemorySyncStore();
    const authenticate = () => {
      throw new Error('a bug');
    };
    const handler = createSyncHandler({ store, authenticate, authorise: {} });
    expect((await handler(new Request('http://sync.test/metrics'))).status).toBe(500);
    expect((await handler(new Request('http://sync.test/nothing'))).status).toBe(404);
    expect(printed.mock.calls.map(([line]) => JSON.parse(String(line)))).toMatchObject([
      { level: 'error', route: '/metrics', status: 500, error: 'FAILED' },
    ]);
  });

  it('answers, whatever its log and its clock throw', async () => {
    const fail = () => {
      throw new Error('the disk is full');
    };
    const { server, ada } = await setUp({ log: fail });
    expect(await server.results([ada.commit(['a-1'])])).toEqual([{ type: 'accepted', g: 1 }]);
    const later = await setUp({ log: (async () => fail()) as () => void });
    expect((await later.server.hello()).head.g).toBe(0);
    const timeless = await setUp({ now: fail });
    expect(await timeless.server.fail('hello', helloOf())).toMatchObject({ status: 500, error: 'FAILED' });
  });

  it('writes down the text of its own errors, and whether they pass', async () => {
    const entries: ServerLogEntry[] = [];
    const store = createMemorySyncStore();
    const away = Object.assign(new Error('the database is away'), { code: 'ECONNREFUSED' });
    const findLog = async () => {
      throw away;
    };
    const server = createTestServer({ ...store, epoch: store.epoch, findLog }, { log: (entry) => entries.push(entry) });
    expect((await server.post('pull', pullOf())).status).toBe(503);
    expect(entries).toMatchObject([
      { level: 'error', status: 503, error: 'UNAVAILABLE', detail: 'Error ECONNREFUSED the database is away' },
    ]);
  });

  it('writes down that the rules do not answer', async () => {
    const entries: ServerLogEntry[] = [];
    const authorise: Policy = { log: () => 'allow', commit: () => new Promise(() => undefined) };
    const limits = { policyMs: 10 };
    const { server, ada } = await setUp({ authorise, limits, log: (entry) => entries.push(entry) });
    expect((await server.post('push', pushOf([ada.commit(['a-1'])]))).status).toBe(503);
    const detail = 'The rules for commits did not answer in 10 ms. Nothing was changed.';
    expect(entries).toMatchObject([{ level: 'error', status: 503, error: 'UNAVAILABLE', detail }]);
  });

  it('answers for the first commits of a push where the rules take long over each', async () => {
    let time = performance.now();
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => time);
    onTestFinished(() => clock.mockRestore());
    const commit = () => {
      time += 2_000;
      return 'allow' as const;
    };
    const { server, ada } = await setUp({ authorise: { log: () => 'allow', commit } });
    const commits = Array.from({ length: 4 }, () => ada.commit(['a-1']));
    const reply = await server.push(commits);
    expect(reply.results.map(({ commitId }) => commitId)).toEqual(['a-1', 'a-2', 'a-3']);
    expect(reply.head.g).toBe(3);
    expect(await server.results(commits.slice(3))).toEqual([{ type: 'accepted', g: 4 }]);
  });
});

describe('an event stream', () => {
  async function open(server: Awaited<ReturnType<typeof setUp>>['server'], log = 'log-1') {
    const request = new Request(`http://sync.test/sync/events?log=${log}`, {
      headers: { authorization: 'Bearer secret' },
    });
    const response = await server.handler(request);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    return {
      response,
      next: async () => new TextDecoder().decode((await reader.read()).value),
      close: () => reader.cancel(),
    };
  }

  it('tells the head at once, and whenever it has moved', async () => {
    const { server, store, ada } = await setUp();
    const stream = await open(server);
    expect(stream.response.headers.get('content-type')).toBe('text/event-stream');
    // Else nginx keeps it until it has enough.
    expect(stream.response.headers.get('x-accel-buffering')).toBe('no');
    expect(await stream.next()).toBe(`event: poke\ndata: {"epoch":"${store.epoch}","g":0}\n\n`);
    const commit = ada.commit(['a-1', 'a-1']);
    await server.push([commit]);
    expect(await stream.next()).toContain('"g":2}');
    // Nothing new: nothing is told.
    await server.push([commit]);
    await server.push([ada.commit(['a-1'])]);
    expect(await stream.next()).toContain('"g":3}');
    await stream.close();
    expect((await server.send('/metrics')).body).toContain('varve_open_streams 0\n');
  });

  it('tells once of pushes that are stored together', async () => {
    const { server } = await setUp();
    const stream = await open(server);
    expect(await stream.next()).toContain('"g":0}');
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => server.push([createAuthor('log-1', `c${index}`).commit(['s'])])),
    );
    const heard: string[] = [];
    while (!heard.at(-1)?.includes('"g":20}')) heard.push(await stream.next());
    expect(heard.length).toBeLessThan(8);
    await stream.close();
  });

  it('does not pile up for who does not read it', async () => {
    const { server, ada } = await setUp();
    const stream = await open(server);
    for (let count = 0; count < 50; count += 1) await server.push([ada.commit(['a-1'])]);
    await nextTurn();
    for (let count = 0; count < 8; count += 1) expect(await stream.next()).not.toContain('"g":50}');
    await server.push([ada.commit(['a-1'])]);
    expect(await stream.next()).toContain('"g":51}');
    await stream.close();
  });

  it('tells the head again with every beat, also what another server has taken', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const { server, store, ada } = await setUp();
    const [first, second] = [await open(server), await open(server)];
    for (const stream of [first, second]) expect(await stream.next()).toContain('"g":0}');
    await vi.advanceTimersByTimeAsync(29_000);
    expect(await first.next()).toBe(`event: poke\ndata: {"epoch":"${store.epoch}","g":0}\n\n`);
    expect(await second.next()).toContain('"g":0}');
    await createTestServer(store).push([ada.commit(['a-1'])]);
    await vi.advanceTimersByTimeAsync(25_000);
    expect(await first.next()).toContain('"g":1}');
    expect(await second.next()).toContain('"g":1}');
    await first.close();
    await second.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('asks once in a beat for each log, and goes on where the store does not answer', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const store = createMemorySyncStore();
    await store.createLog('log-1', 'bank');
    const asked: string[] = [];
    let isAway = false;
    const findLog = async (logId: string) => {
      asked.push(logId);
      if (isAway) throw new Error('the database is away');
      return store.findLog(logId);
    };
    const server = createTestServer({ ...store, epoch: store.epoch, findLog });
    const streams = [await open(server), await open(server)];
    for (const stream of streams) await stream.next();
    asked.length = 0;
    isAway = true;
    await vi.advanceTimersByTimeAsync(25_000);
    expect(asked).toEqual(['log-1']);
    for (const stream of streams) expect(await stream.next()).toContain('"g":0}');
    isAway = false;
    await server.push([createAuthor('log-1', 'a').commit(['a-1'])]);
    for (const stream of streams) expect(await stream.next()).toContain('"g":1}');
    for (const stream of streams) await stream.close();
  });

  it('is one of few for each actor, and ends with the server', async () => {
    const stopping = new AbortController();
    const entries: ServerLogEntry[] = [];
    const log = (entry: ServerLogEntry) => entries.push(entry);
    const { server } = await setUp({ limits: { streams: 2 }, signal: stopping.signal, log });
    const [first, second] = [await open(server), await open(server)];
    expect((await server.send('/sync/events?log=log-1')).status).toBe(429);
    await first.close();
    const third = await open(server);
    expect(third.response.status).toBe(200);
    stopping.abort();
    expect(await second.next()).toContain('"g":0}');
    expect(await second.next()).toBe('');
    expect(await server.fail('hello', helloOf())).toMatchObject({ status: 503, error: 'UNAVAILABLE', after: 2_000 });
    // It is no error to be stopped.
    expect(entries.filter(({ level }) => level === 'error')).toEqual([]);
    expect(entries.at(-1)).toMatchObject({ level: 'debug', status: 503 });
  });

  it('is not opened by a server that began to stop meanwhile', async () => {
    const stopping = new AbortController();
    const authorise: Policy = {
      log: () => {
        stopping.abort();
        return 'allow';
      },
    };
    const { server } = await setUp({ authorise, signal: stopping.signal });
    expect((await server.send('/sync/events?log=log-1')).status).toBe(503);
  });

  it('is refused for a log that is not there, not open, or no log', async () => {
    const { server } = await setUp();
    expect((await server.send('/sync/events?log=log-9')).status).toBe(404);
    for (const query of ['', '?log=', '?log=%00', '?log=a%20b']) {
      const { status, body } = await server.send(`/sync/events${query}`);
      expect([status, body]).toMatchObject([400, { error: 'BAD_REQUEST', path: 'log' }]);
    }
    const closed = await setUp({ authorise: {} });
    expect((await closed.server.send('/sync/events?log=log-1')).status).toBe(403);
  });
});

describe('depth', () => {
  it('is counted outside of texts', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const depthOf = (value: unknown): number =>
          typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
        const depth = depthOf(JSON.parse(text));
        expect([isDeeperThan(text, depth), depth > 0 && !isDeeperThan(text, depth - 1)]).toEqual([false, false]);
      }),
    );
    expect(isDeeperThan('"[[[\\"[["', 0)).toBe(false);
    expect(isDeeperThan('{"a\\\\":[1]}', 1)).toBe(true);
  });
});

describe('many clients at once', () => {
  it('find nothing lost and nothing doubled, with retries of everything', async () => {
    const { server } = await setUp();
    const sent: PushedCommit[] = [];
    await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const author = createAuthor('log-1', `client-${index}`);
        for (let round = 0; round < 10; round += 1) {
          const commits = [author.commit([`s-${index % 5}`]), author.commit(['shared', `s-${index}`])];
          sent.push(...commits);
          await Promise.all([server.push(commits), server.push(commits), server.pull({ base: start, limit: 10 })]);
        }
      }),
    );
    const all = await server.readAll();
    expect(all.map(({ commit }) => commit.commandId).sort()).toEqual(sent.map(({ commit }) => commit.commandId).sort());
    expect(all.at(-1)?.g).toBe(50 * 10 * 3);
  });
});
