import { createServer, type RequestListener, type Server } from 'node:http';
import { connect } from 'node:net';
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { helloOf } from './fixtures/test-server.ts';
import { createMemorySyncStore } from './memory-sync-store.ts';
import { toNodeListener } from './node-listener.ts';
import { allowAll, authenticateTokens } from './policy.ts';
import { createSyncHandler, type SyncHandlerOptions } from './sync-handler.ts';

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.closeAllConnections();
});

function listen(handler: (request: Request) => Promise<Response>) {
  return listenTo(toNodeListener(handler));
}

async function listenTo(listener: RequestListener) {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}`, port, server };
}

function createHandler(options: Partial<SyncHandlerOptions> = {}) {
  return createSyncHandler({
    store: createMemorySyncStore(),
    authenticate: authenticateTokens({ secret: { id: 'ada' } }),
    authorise: allowAll,
    ...options,
  });
}

function serve(options: Partial<SyncHandlerOptions> = {}) {
  return listen(createHandler(options));
}

const headers = { authorization: 'Bearer secret', 'content-type': 'application/json' };

/** What a connection gets back for bytes that it sends. */
function talk(port: number, head: string, chunk: string, chunks: number): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1');
    socket.on('data', (data) => {
      text += data;
    });
    // The server may end the connection while more is sent.
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
    socket.write(head);
    for (let count = 0; count < chunks; count += 1) socket.write(chunk);
  });
}

describe('a handler behind Node’s HTTP server', () => {
  it('gets requests and sends responses', async () => {
    const { url } = await serve();
    const response = await fetch(`${url}/sync/hello`, { method: 'POST', headers, body: JSON.stringify(helloOf()) });
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toMatchObject({ proto: 1, head: { g: 0 } });
  });

  it('answers what is too large while it is still sent', async () => {
    const { port } = await serve();
    const head = `POST /sync/push HTTP/1.1\r\nhost: x\r\nauthorization: Bearer secret\r\ncontent-type: application/json\r\n`;
    const declared = await talk(port, `${head}content-length: 99999999\r\n\r\n`, 'x'.repeat(1_000), 10);
    expect(declared).toMatch(/^HTTP\/1\.1 413 [\s\S]*"TOO_LARGE"/);
    const chunk = `10000\r\n${' '.repeat(65_536)}\r\n`;
    const endless = await talk(port, `${head}transfer-encoding: chunked\r\n\r\n`, chunk, 40);
    expect(endless).toMatch(/^HTTP\/1\.1 413 [\s\S]*"TOO_LARGE"/);
  });

  it('refuses what is no address', async () => {
    const { port } = await serve();
    const answer = await talk(port, 'GET //[ HTTP/1.1\r\nhost: x y\r\nconnection: close\r\n\r\n', '', 0);
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
  });

  it('refuses what the platform takes for no request, without a word in the log', async () => {
    const printed = vi.spyOn(console, 'error');
    onTestFinished(() => printed.mockRestore());
    const { port } = await serve();
    for (const head of [
      'TRACE / HTTP/1.1\r\nhost: x',
      'GET / HTTP/1.1\r\nhost: ada@x',
      'POST / HTTP/1.1\r\nhost: ada@x',
    ]) {
      expect(await talk(port, `${head}\r\nconnection: close\r\n\r\n`, '', 0)).toMatch(/^HTTP\/1\.1 400 /);
    }
    expect(printed).not.toHaveBeenCalled();
  });

  it('lets go of an event stream whose reader is gone', async () => {
    const { url } = await serve();
    await fetch(`${url}/sync/hello`, { method: 'POST', headers, body: JSON.stringify(helloOf()) });
    const reading = new AbortController();
    const stream = await fetch(`${url}/sync/events?log=log-1`, { headers, signal: reading.signal });
    expect((await stream.body?.getReader().read())?.value?.length).toBeGreaterThan(20);
    const openStreams = async () =>
      /^varve_open_streams (\d+)$/m.exec(await (await fetch(`${url}/metrics`, { headers })).text())?.[1];
    expect(await openStreams()).toBe('1');
    reading.abort();
    await expect.poll(openStreams).toBe('0');
  });

  it('opens no event stream for who left before it was let in', async () => {
    let letIn = () => {};
    const gate = new Promise<void>((resolve) => {
      letIn = resolve;
    });
    let asked = () => {};
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const { url, port, server } = await serve({
      authenticate: async (request) => {
        if (new URL(request.url).pathname === '/sync/events') {
          asked();
          await gate;
        }
        return { id: 'ada' };
      },
    });
    await fetch(`${url}/sync/hello`, { method: 'POST', headers, body: JSON.stringify(helloOf()) });
    const left = new Promise<void>((resolve) => {
      server.once('connection', (socket) => socket.once('close', () => resolve()));
    });
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /sync/events?log=log-1 HTTP/1.1\r\nhost: x\r\n\r\n');
    await isAsked;
    socket.destroy();
    await left;
    letIn();
    await expect
      .poll(async () => (await fetch(`${url}/metrics`, { headers })).text())
      .toMatch(/route="\/sync\/events",status="200"} 1\n[\s\S]*^varve_open_streams 0$/m);
  });

  it('waits for a slow reader without piling up listeners', async () => {
    let [sent, most] = [0, 0];
    const handler = async () =>
      new Response(
        new ReadableStream({
          pull: (controller) => {
            controller.enqueue(new Uint8Array(1_048_576));
            sent += 1;
            if (sent === 40) controller.close();
          },
        }),
      );
    const { url, server } = await listen(handler);
    server.on('request', (_message, response) => {
      response.on('newListener', () => {
        most = Math.max(most, response.listenerCount('close'), response.listenerCount('drain'));
      });
    });
    expect((await (await fetch(url)).arrayBuffer()).byteLength).toBe(40 * 1_048_576);
    expect(most).toBeLessThan(5);
  });

  it('breaks a reply off whose body fails, and does not end it as if it were whole', async () => {
    let count = 0;
    const { url } = await listen(async () => {
      const body = new ReadableStream({
        pull: (controller) => {
          count += 1;
          if (count > 1) controller.error(new Error('a bug'));
          else controller.enqueue(new Uint8Array(8));
        },
      });
      return new Response(body);
    });
    await expect(fetch(url).then((response) => response.arrayBuffer())).rejects.toThrow();
  });

  it('survives a handler that throws, and says so', async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    onTestFinished(() => printed.mockRestore());
    const { url } = await listen(async () => {
      throw new Error('a bug');
    });
    expect((await fetch(url)).status).toBe(500);
    expect(printed.mock.calls).toMatchObject([[{ message: 'a bug' }]]);
  });

  it.each([
    ['a body', JSON.stringify(helloOf())],
    ['an empty one', ''],
  ])('says where it is mounted behind what has read %s', async (_what, body) => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    onTestFinished(() => printed.mockRestore());
    const listener = toNodeListener(createHandler());
    const { url } = await listenTo(async (message, response) => {
      // As `express.json()` does.
      for await (const _chunk of message);
      listener(message, response);
    });
    const response = await fetch(`${url}/sync/hello`, { method: 'POST', headers, body });
    expect(response.status).toBe(500);
    expect(printed.mock.calls).toMatchObject([
      [{ message: 'The body was read before the handler of sync got it: mount it before any body parser.' }],
    ]);
  });

  it('does not wait for the body of a sender that left before', async () => {
    let tell = (_what: string) => {};
    const told = new Promise<string>((resolve) => {
      tell = resolve;
    });
    const listener = toNodeListener(async (request) => {
      tell(await request.text().catch((error: Error) => error.message));
      return new Response();
    });
    // As behind a middleware that takes its time.
    const { port } = await listenTo((message, response) => {
      message.once('close', () => listener(message, response));
      socket.destroy();
    });
    const socket = connect(port, '127.0.0.1');
    socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\n{');
    expect(await told).toBe('The sender broke off.');
  });
});
