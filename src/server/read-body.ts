import { SyncFailure } from './sync-failure.ts';

/** The JSON of a request. Its size and depth are checked before it is parsed. */
export async function readBody(request: Request, maxBytes: number, maxDepth: number): Promise<unknown> {
  if (!/^application\/json\s*(;|$)/i.test(request.headers.get('content-type') ?? '')) {
    throw new SyncFailure('UNSUPPORTED_MEDIA_TYPE', 'The body has to be JSON: content-type application/json.');
  }
  // Said before it is sent; a sender that says nothing, or lies, is cut off while it sends.
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const text = await readText(request, maxBytes);
  if (isDeeperThan(text, maxDepth)) {
    throw new SyncFailure('TOO_LARGE', `The message is nested deeper than ${maxDepth} levels.`);
  }
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own words hold a piece of the message.
    throw new SyncFailure('BAD_REQUEST', 'The body is not JSON.', { path: '' });
  }
}

async function readText(request: Request, maxBytes: number): Promise<string> {
  if (request.body === null) return '';
  const reader = request.body.getReader();
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let text = '';
  let bytes = 0;
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return text + decoder.decode();
      bytes += value.length;
      if (bytes > maxBytes) throw tooLarge(maxBytes);
      text += decoder.decode(value, { stream: true });
    }
  } catch (error) {
    if (error instanceof SyncFailure) throw error;
    throw new SyncFailure('BAD_REQUEST', 'The body is not UTF-8 text, or its sender broke off.', { path: '' });
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function tooLarge(maxBytes: number): SyncFailure {
  return new SyncFailure('TOO_LARGE', `A body has ${maxBytes} bytes at most. Push fewer commits at a time.`);
}

/** Counts brackets outside of strings. */
export function isDeeperThan(text: string, maxDepth: number): boolean {
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (isInString) {
      if (unit === backslash) at += 1;
      else if (unit === quote) isInString = false;
    } else if (unit === quote) isInString = true;
    else if (unit === openBrace || unit === openBracket) {
      depth += 1;
      if (depth > maxDepth) return true;
    } else if (unit === closeBrace || unit === closeBracket) depth -= 1;
  }
  return false;
}

const [quote, backslash, openBrace, closeBrace, openBracket, closeBracket] = [0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d];
