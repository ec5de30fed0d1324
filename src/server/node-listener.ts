/** What is used of Node's `IncomingMessage`: by its shape, so that no other runtime needs to know Node. */
export interface NodeMessage {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: { readonly host?: string | undefined };
  readonly rawHeaders: readonly string[];
  readonly complete: boolean;
  readonly readableDidRead: boolean;
  readonly readableEnded: boolean;
  readonly destroyed: boolean;
  on(event: 'data', listener: (chunk: Uint8Array) => void): unknown;
  once(event: 'end' | 'close', listener: () => void): unknown;
  once(event: 'error', listener: (error: Error) => void): unknown;
  pause(): unknown;
  resume(): unknown;
  destroy(): unknown;
}

/** What is used of Node's `ServerResponse`. */
export interface NodeResponse {
  readonly headersSent: boolean;
  readonly destroyed: boolean;
  setHeader(name: string, value: string): unknown;
  writeHead(status: number, headers?: Record<string, string>): unknown;
  write(chunk: Uint8Array): boolean;
  end(): unknown;
  destroy(): unknown;
  on(event: 'drain', listener: () => void): unknown;
  once(event: 'finish' | 'close', listener: () => void): unknown;
}

export type NodeListener = (message: NodeMessage, response: NodeResponse) => void;

/**
 * Lets a handler of requests and responses answer Node's HTTP server. It reads the body itself: it is mounted before any
 * body parser. What a handler throws is answered with 500, and printed with `console.error`.
 *
 * ### Example
 * ```ts
 * createServer(toNodeListener(createSyncHandler({ store, authenticate, authorise }))).listen(4180);
 * ```
 */
export function toNodeListener(handler: (request: Request) => Promise<Response>): NodeListener {
  return (message, response) => {
    void answer(handler, message, response).catch((error: unknown) => {
      // A body that breaks off must not look like a whole one.
      if (response.headersSent) response.destroy();
      else {
        console.error(error);
        endWith(500, response);
      }
    });
  };
}

function endWith(status: number, response: NodeResponse): void {
  response.writeHead(status);
  response.end();
}

async function answer(
  handler: (request: Request) => Promise<Response>,
  message: NodeMessage,
  response: NodeResponse,
): Promise<void> {
  const request = toRequest(message);
  if (request === undefined) {
    endWith(400, response);
    return;
  }
  const reply = await handler(request);
  // What was refused before it was read whole is not waited for.
  if (!message.complete) {
    response.setHeader('connection', 'close');
    response.once('finish', () => setTimeout(() => message.destroy(), lingerMs));
  }
  response.writeHead(reply.status, Object.fromEntries(reply.headers));
  await sendBody(reply, response);
}

/** Time for the refused sender to read the answer before its connection ends. */
const lingerMs = 500;

/** Undefined for what is none to the platform: no address, a user in it, the methods that `fetch` forbids. */
function toRequest(message: NodeMessage): Request | undefined {
  const { method = 'GET', url = '/' } = message;
  if (!url.startsWith('/')) return undefined;
  const hasBody = method !== 'GET' && method !== 'HEAD';
  // Its end came before, and comes only once.
  if (hasBody && (message.readableDidRead || message.readableEnded)) {
    throw new Error('The body was read before the handler of sync got it: mount it before any body parser.');
  }
  const headers = new Headers();
  for (let at = 0; at < message.rawHeaders.length; at += 2) {
    headers.append(message.rawHeaders[at] ?? '', message.rawHeaders[at + 1] ?? '');
  }
  try {
    const request = new Request(`http://${message.headers.host ?? 'localhost'}${url}`, { method, headers });
    // In a second step: the body of what is refused is left alone.
    if (!hasBody) return request;
    const init: RequestInit & { readonly duplex: 'half' } = { body: toStream(message), duplex: 'half' };
    return new Request(request, init);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** Not `Readable.toWeb`: cancelling that one ends the connection before the answer is sent. */
function toStream(message: NodeMessage): ReadableStream<Uint8Array> {
  let isOpen = true;
  return new ReadableStream<Uint8Array>({
    start: (controller) => {
      const end = (finish: () => void) => {
        if (isOpen) finish();
        isOpen = false;
      };
      message.on('data', (chunk: Uint8Array) => {
        if (!isOpen) return;
        controller.enqueue(chunk);
        if ((controller.desiredSize ?? 0) <= 0) message.pause();
      });
      message.once('end', () => end(() => controller.close()));
      message.once('error', (error) => end(() => controller.error(error)));
      const breakOff = () => end(() => controller.error(new Error('The sender broke off.')));
      message.once('close', breakOff);
      // It may have left before it was let in: no event tells of that any more.
      if (message.destroyed) breakOff();
    },
    pull: () => void message.resume(),
    cancel: () => {
      isOpen = false;
      // Read and dropped, so that the sender gets to the answer.
      message.resume();
    },
  });
}

async function sendBody(reply: Response, response: NodeResponse): Promise<void> {
  if (reply.body === null) {
    response.end();
    return;
  }
  // Who asked may have left while the answer was made: no event tells of that any more.
  if (response.destroyed) {
    await reply.body.cancel();
    return;
  }
  const reader = reply.body.getReader();
  let goOn = () => {};
  response.on('drain', () => goOn());
  response.once('close', () => {
    goOn();
    void reader.cancel().catch(() => undefined);
  });
  for (;;) {
    const { value, done } = await reader.read();
    if (done || response.destroyed) break;
    if (!response.write(value)) {
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
    }
  }
  response.end();
}
