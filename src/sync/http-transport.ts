import type { Parsed } from '../protocol/parse.ts';
import {
  parseCommonReply,
  parseHelloReply,
  parsePullReply,
  parsePushReply,
  parseSyncError,
  parseSyncPoke,
} from '../protocol/parse-sync-reply.ts';
import type { SyncError, SyncErrorCode } from '../protocol/sync-messages.ts';
import { createEventReader } from './event-stream.ts';
import { offline } from './offline.ts';
import type { Tokens } from './tokens.ts';
import { maxReplyBytes, type SyncCall, SyncRefusal, type SyncTransport } from './transport.ts';

/** The protocol over HTTP, as `docs/reference/sync-protocol.md` has it. */
export function createHttpTransport(url: string, tokens: Tokens, send: typeof fetch): SyncTransport {
  const root = url.replace(/\/+$/, '');

  async function post<Reply>(
    route: string,
    message: unknown,
    call: SyncCall,
    parse: (value: unknown) => Parsed<Reply>,
  ): Promise<Reply> {
    const response = await request(`${root}/sync/${route}`, { method: 'POST', body: JSON.stringify(message) }, call);
    const parsed = parse(parseJson(await readText(response)));
    if (parsed.ok) return parsed.value;
    // The path is empty where it is the whole.
    const what = `${parsed.path} ${parsed.text}`.trim();
    throw new SyncRefusal('BAD_REPLY', `The reply to ${route} cannot be read: ${what}.`);
  }

  /** A response of status 200. A token that is not taken is asked for once more. */
  async function request(address: string, init: RequestInit, { signal, principal }: SyncCall): Promise<Response> {
    for (let refused: string | undefined; ; ) {
      const token = await tokens.get(principal, signal);
      if (token === refused) throw new SyncRefusal('AUTH', 'The server does not take the token. Sign in again.');
      const response = await reach(address, {
        ...init,
        headers: { authorization: `Bearer ${token}`, ...(init.body ? { 'content-type': 'application/json' } : {}) },
        cache: 'no-store',
        credentials: 'omit',
        redirect: 'error',
        signal,
      });
      if (response.status === 200) return response;
      const refusal = await toRefusal(response);
      if (response.status !== 401) throw refusal;
      tokens.refuse(token);
      if (refused !== undefined) throw refusal;
      refused = token;
    }
  }

  async function reach(address: string, init: RequestInit): Promise<Response> {
    try {
      return await send(address, init);
    } catch (error) {
      throw offline('The server', error);
    }
  }

  return {
    hello: (message, call) => post('hello', message, call, parseHelloReply),
    pull: (message, call) => post('pull', message, call, parsePullReply),
    push: (message, call) => post('push', message, call, parsePushReply),
    common: (message, call) => post('common', message, call, parseCommonReply),
    listen: async (logId, onPoke, call, onBeat) => {
      const response = await request(`${root}/sync/events?log=${encodeURIComponent(logId)}`, {}, call);
      const read = createEventReader(({ event, data }) => {
        const poke = event === 'poke' ? parseSyncPoke(parseJson(data)) : undefined;
        if (poke?.ok) onPoke(poke.value);
      });
      const hear = (chunk: string) => {
        onBeat();
        read(chunk);
      };
      await eachChunk(response, hear, Number.POSITIVE_INFINITY);
    },
  };
}

async function toRefusal(response: Response): Promise<SyncRefusal> {
  const { status, headers } = response;
  // A proxy that answers in the server's place says what it likes: then the status has to do.
  const told = parseJson(await readText(response).catch(() => ''));
  const parsed = parseSyncError(told);
  const answer: SyncError = parsed.ok
    ? parsed.value
    : {
        error: codeOfStatus[status] ?? 'FAILED',
        text: `The server answered with status ${status}${describeUnread(told, parsed)}.`,
      };
  const { error, text, after = readRetryAfter(headers) } = answer;
  return new SyncRefusal(error, text, after === undefined ? {} : { after });
}

/** What is wrong with what looks like an error of the protocol. */
function describeUnread(told: unknown, parsed: Parsed<SyncError>): string {
  const isMeant = typeof told === 'object' && told !== null && 'error' in told;
  return isMeant && !parsed.ok ? `, and with an error that cannot be read: ${parsed.path} ${parsed.text}` : '';
}

/** What an error means that has no code, or one that is newer than this. Not 409: which of the two it was is not known. */
const codeOfStatus: { readonly [status: number]: SyncErrorCode } = {
  400: 'BAD_REQUEST',
  401: 'AUTH',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  413: 'TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  426: 'UPGRADE_REQUIRED',
  429: 'THROTTLED',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'UNAVAILABLE',
};

/** Milliseconds. A time of day is measured on the server's own clock, where it tells that. */
function readRetryAfter(headers: Headers): number | undefined {
  const value = headers.get('retry-after') ?? '';
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.parse(headers.get('date') ?? '');
  return ms >= 0 ? ms : undefined;
}

async function readText(response: Response): Promise<string> {
  let text = '';
  await eachChunk(
    response,
    (chunk) => {
      text += chunk;
    },
    maxReplyBytes,
  );
  return text;
}

async function eachChunk(response: Response, read: (chunk: string) => void, maxBytes: number): Promise<void> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  const decoder = new TextDecoder();
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        throw offline('The server', error);
      });
      if (done) break;
      bytes += value.length;
      if (bytes > maxBytes) throw new SyncRefusal('BAD_REPLY', 'The reply is larger than any of the protocol.');
      read(decoder.decode(value, { stream: true }));
    }
    read(decoder.decode());
  } finally {
    // Frees the connection where something was thrown; else there is nothing left to free.
    reader.cancel().catch(() => undefined);
  }
}

/** Undefined where it is none: no reader takes that. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
