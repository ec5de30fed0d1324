import { describe, expect, it } from 'vitest';
import { createTestWorld } from './fixtures/test-world.ts';
import { createHttpTransport } from './http-transport.ts';
import { createTokens, type Token } from './tokens.ts';
import type { SyncRefusal } from './transport.ts';

const minute = 60_000;
const call = { signal: new AbortController().signal, principal: '' };

/** What a transport makes of a response. */
async function answerTo(response: () => Response | Promise<Response>): Promise<SyncRefusal> {
  const transport = createHttpTransport(
    'http://sync.test/',
    createTokens('secret', () => ''),
    async () => response(),
  );
  const outcome = await transport.common({ log: 'log-1', points: [] }, call).catch((error: unknown) => error);
  return outcome as SyncRefusal;
}

describe('HTTP', () => {
  it('carries a message and a token, and no cookie', async () => {
    const seen: Request[] = [];
    const transport = createHttpTransport(
      'http://sync.test/base/',
      createTokens('secret', () => ''),
      async (input, init) => {
        seen.push(new Request(String(input), init));
        return Response.json({ g: 3 });
      },
    );
    expect(await transport.common({ log: 'log-1', points: [] }, call)).toEqual({ g: 3 });
    const [request] = seen;
    expect([request?.method, request?.url]).toEqual(['POST', 'http://sync.test/base/sync/common']);
    expect(request?.headers.get('authorization')).toBe('Bearer secret');
    expect([request?.credentials, request?.cache, request?.redirect]).toEqual(['omit', 'no-store', 'error']);
    expect(await request?.json()).toEqual({ log: 'log-1', points: [] });
  });

  it('tells what the server says no with', async () => {
    const error = { error: 'THROTTLED', text: 'Wait.', after: 70 };
    expect(await answerTo(() => Response.json(error, { status: 429 }))).toMatchObject({
      code: 'THROTTLED',
      message: 'Wait.',
      detail: { after: 70 },
    });
  });

  it('takes an error that it does not know by its status', async () => {
    const codes = { 400: 'BAD_REQUEST', 403: 'FORBIDDEN', 404: 'NOT_FOUND', 409: 'FAILED', 413: 'TOO_LARGE' };
    const more = { 418: 'FAILED', 426: 'UPGRADE_REQUIRED', 429: 'THROTTLED', 500: 'FAILED', 504: 'UNAVAILABLE' };
    for (const [status, code] of Object.entries({ ...codes, ...more })) {
      for (const body of ['<h1>Proxy</h1>', '{"error":"NEWER","text":"?"}', '']) {
        expect(await answerTo(() => new Response(body, { status: Number(status) }))).toMatchObject({ code });
      }
    }
  });

  it('says what is wrong with an error that cannot be read: who writes an endpoint has nothing else to go by', async () => {
    const body = JSON.stringify({ error: 'DIVERGED', head: { g: 1 } });
    const { code, message } = await answerTo(() => new Response(body, { status: 409 }));
    expect([code, message]).toEqual([
      'FAILED',
      'The server answered with status 409, and with an error that cannot be read: text is not a text of 1 to 4096 characters.',
    ]);
  });

  it('waits as the header says, in seconds or until a time', async () => {
    const waits = async (headers: Record<string, string>) =>
      (await answerTo(() => new Response('', { status: 503, headers }))).detail.after;
    expect(await waits({ 'retry-after': '7' })).toBe(7_000);
    const [date, later] = ['Tue, 14 Nov 2023 22:13:20 GMT', 'Tue, 14 Nov 2023 22:14:20 GMT'];
    expect(await waits({ 'retry-after': later, date })).toBe(minute);
    expect(await waits({ 'retry-after': date, date: later })).toBeUndefined();
    expect(await waits({ 'retry-after': later })).toBeUndefined();
    expect(await waits({ 'retry-after': 'soon' })).toBeUndefined();
  });

  it('refuses what is no reply: another page, another form, one without end', async () => {
    for (const body of ['<h1>Sign in to the hotel</h1>', '', 'null', '{"g":-1}', '{"g":"1"}', '[1']) {
      expect(await answerTo(() => new Response(body))).toMatchObject({ code: 'BAD_REPLY' });
    }
    let chunks = 0;
    const endless = new ReadableStream({
      pull: (controller) => {
        chunks += 1;
        controller.enqueue(new Uint8Array(1_048_576));
      },
    });
    expect(await answerTo(() => new Response(endless))).toMatchObject({ code: 'BAD_REPLY' });
    expect(chunks).toBeLessThan(20);
  });

  it('is offline where nothing comes, or where it ends in the middle', async () => {
    expect(await answerTo(() => Promise.reject(new TypeError('no route')))).toMatchObject({ code: 'OFFLINE' });
    const broken = new ReadableStream({ start: (controller) => controller.error(new TypeError('reset')) });
    expect(await answerTo(() => new Response(broken))).toMatchObject({ code: 'OFFLINE' });
  });
});

describe('the text of a problem', () => {
  it('ends with one dot, and has no gap where there is nothing to name', async () => {
    const why = 'NetworkError when attempting to fetch resource.';
    expect(await answerTo(() => Promise.reject(new TypeError(why)))).toMatchObject({
      message: 'The server cannot be reached: NetworkError when attempting to fetch resource.',
    });
    expect(await answerTo(() => new Response('null'))).toMatchObject({
      message: 'The reply to common cannot be read: is not an object.',
    });
    expect(await answerTo(() => Response.json({ g: -1 }))).toMatchObject({
      message: expect.stringMatching(/^The reply to common cannot be read: g [^ ].*[^.]\.$/),
    });
  });
});

describe('a token', () => {
  function setUp(token: Token) {
    const world = createTestWorld();
    const ada = world.device('a');
    ada.save('one');
    return { world, ada, ...world.start(ada, { http: { token } }) };
  }

  it('is asked for once, and once more when it is no longer taken', async () => {
    const asked: string[] = [];
    const { world, ada, host, stop } = setUp(() => {
      asked.push(`token-${asked.length}`);
      return asked.at(-1);
    });
    world.tokens.set('token-0', 'ada');
    await world.clock.advance(3 * minute);
    expect(asked).toEqual(['token-0']);
    world.tokens.delete('token-0');
    world.tokens.set('token-1', 'ada');
    ada.save('two');
    await world.clock.advance(3 * minute);
    expect([asked, ada.ids, host.last?.phase]).toEqual([['token-0', 'token-1'], ['one', 'two'], 'synced']);
    await stop();
  });

  it('is asked for once by all requests that are under way', async () => {
    let asked = 0;
    const tokens = createTokens(
      () => {
        asked += 1;
        return asked === 1 ? 'old' : 'new';
      },
      () => '',
    );
    const transport = createHttpTransport('http://sync.test', tokens, async (_input, init) =>
      new Headers(init?.headers).get('authorization') === 'Bearer new'
        ? Response.json({ g: 0 })
        : Response.json({ error: 'AUTH', text: 'Who?' }, { status: 401 }),
    );
    const all = [1, 2, 3, 4].map(() => transport.common({ log: 'log-1', points: [] }, call));
    expect(await Promise.all(all)).toEqual([{ g: 0 }, { g: 0 }, { g: 0 }, { g: 0 }]);
    expect(asked).toBe(2);
  });

  it('that is refused twice pauses it, until it is woken or five minutes later', async () => {
    let asked = 0;
    const { world, ada, host, wake, stop } = setUp(() => {
      asked += 1;
      return `token-${asked}`;
    });
    await world.clock.advance(0);
    expect(host.last).toMatchObject({
      phase: 'paused',
      problem: { code: 'AUTH' },
      nextWakeAt: world.clock.now + 5 * minute,
    });
    expect([asked, world.requests.length]).toEqual([2, 2]);
    ada.save('two');
    await world.clock.advance(4 * minute);
    expect(world.requests.length).toBe(2);
    await world.clock.advance(minute);
    expect(world.requests.length).toBe(4);
    world.tokens.set('token-5', 'ada');
    wake();
    await world.clock.advance(0);
    expect([ada.ids, host.last?.phase]).toEqual([['one', 'two'], 'synced']);
    await stop();
  });

  it('that is a text is not tried twice, and none is not tried at all', async () => {
    const wrong = setUp('wrong');
    await wrong.world.clock.advance(0);
    expect([wrong.host.last?.phase, wrong.world.requests.length]).toEqual(['paused', 1]);
    await wrong.stop();
    const none = setUp(() => undefined);
    await none.world.clock.advance(0);
    expect([none.host.last?.problem?.code, none.world.requests.length]).toEqual(['AUTH', 0]);
    await none.stop();
  });

  it('is not used where somebody else has signed in while it was asked for', async () => {
    let user = 'eve';
    let sent = 0;
    const tokens = createTokens(
      async () => {
        user = 'ann';
        return 'token-eve';
      },
      () => user,
    );
    const transport = createHttpTransport('http://sync.test', tokens, async () => {
      sent += 1;
      return Response.json({ g: 0 });
    });
    const asked = transport.common({ log: 'log-1', points: [] }, { ...call, principal: 'eve' });
    await expect(asked).rejects.toMatchObject({ code: 'OTHER_PRINCIPAL' });
    expect(sent).toBe(0);
  });

  it('is asked for in the name of who saved what is sent: a page of another may have signed in meanwhile', async () => {
    const asked: string[] = [];
    const tokens = createTokens(
      (principal) => {
        asked.push(principal);
        // The session is Ben's by now.
        return principal === 'ben' ? 'token-ben' : undefined;
      },
      () => 'ann',
    );
    await expect(tokens.get('ann', call.signal)).rejects.toMatchObject({ code: 'AUTH' });
    expect(asked).toEqual(['ann']);
  });

  it('that no header can carry is not sent, and not told', async () => {
    const page = '<!doctype html><title>Žluťoučký kůň</title>';
    for (const token of ['secret\nof-the-house', 'sec ret', page, 'secret\u0000']) {
      const { world, host, stop } = setUp(() => token);
      await world.clock.advance(0);
      expect(host.last).toMatchObject({
        phase: 'paused',
        problem: { code: 'AUTH', text: 'The token holds characters that no header can carry.' },
      });
      expect(world.requests).toEqual([]);
      await stop();
    }
  });

  it('is sent without the line break at its end', async () => {
    const { world, stop } = setUp(() => Promise.resolve('secret\n'));
    await world.clock.advance(0);
    expect(world.requests.length).toBeGreaterThan(0);
    await stop();
  });

  it('that cannot be asked for without a network is tried again, and no defect', async () => {
    const { world, host, stop } = setUp(() => Promise.reject(new TypeError('Failed to fetch')));
    await world.clock.advance(0);
    expect(host.last).toMatchObject({ phase: 'waiting', problem: { code: 'OFFLINE' } });
    await stop();
    const broken = setUp(() => Promise.reject(new TypeError('user is undefined')));
    await broken.world.clock.advance(0);
    expect(broken.host.last).toMatchObject({ problem: { code: 'FAILED', text: 'user is undefined' } });
    await broken.stop();
  });

  it('that never comes does not stop it for ever', async () => {
    let asked = 0;
    const { world, ada, stop } = setUp(() => {
      asked += 1;
      return asked === 1 ? new Promise(() => undefined) : 'secret';
    });
    await world.clock.advance(minute);
    expect(ada.ids).toEqual(['one']);
    await stop();
  });
});

describe('a server that will not have this app', () => {
  it('pauses it: too old, another one’s log, or not allowed', async () => {
    const worlds = [
      { code: 'UPGRADE_REQUIRED', world: createTestWorld({ minApp: 2 }) },
      { code: 'APP_MISMATCH', world: createTestWorld() },
      { code: 'FORBIDDEN', world: createTestWorld() },
    ];
    await worlds[1]?.world.store.createLog('log-1', 'shop');
    worlds[2]?.world.setPolicy({ log: () => ({ deny: 'NOT_YOURS' }) });
    for (const { code, world } of worlds) {
      const { host, stop } = world.start(world.device('a'));
      await world.clock.advance(0);
      expect(host.last).toMatchObject({ phase: 'paused', problem: { code } });
      expect(host.last?.nextWakeAt).toBeGreaterThan(world.clock.now);
      await stop();
    }
  });
});
