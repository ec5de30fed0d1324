import { SyncFailure } from './sync-failure.ts';

/** What a reply says to the browser, and which pages are refused. */
export interface OriginVerdict {
  readonly headers: Readonly<Record<string, string>>;
  /** The origin, where its pages may not speak to the server. */
  readonly refused?: string;
}

/**
 * Which pages may speak to the server: those of its own host, and those that are listed. Never all.
 *
 * A sender without an origin is no page. One that is refused may read that it is: a browser would show it as a network
 * that is away. It may read nothing else, for the handler looks at this before it looks at anything.
 */
export function judgeOrigin(request: Request, origins: readonly string[]): OriginVerdict {
  const origin = request.headers.get('origin');
  if (origin === null) return { headers: { vary: 'origin' } };
  const isListed = origins.includes(origin);
  if (!isListed && hostOf(origin) === new URL(request.url).host) return { headers: { vary: 'origin' } };
  const headers = {
    vary: 'origin',
    'access-control-allow-origin': origin,
    'access-control-expose-headers': 'retry-after',
  };
  return isListed ? { headers } : { headers, refused: origin };
}

export function toOriginFailure(origin: string): SyncFailure {
  const text = isOrigin(origin)
    ? `Pages of ${origin} may not speak to the server: list it (varve serve --origin ${origin}).`
    : 'Pages without an origin may not speak to the server: serve them from an address, and list that.';
  return new SyncFailure('FORBIDDEN', text);
}

/**
 * Whether it is an origin as browsers write them, so that it can be listed, and printed: a sender that is none says what
 * it likes. Those of apps have schemes of their own, as `capacitor://localhost`.
 */
export function isOrigin(text: string): boolean {
  if (!/^[\w+.-]+:\/\/[\w.:[\]-]{1,256}$/.test(text) || !URL.canParse(text)) return false;
  // Not `URL.origin`: that is "null" for every scheme but those of the web.
  const { protocol, host } = new URL(text);
  return text === `${protocol}//${host}`;
}

/** Without the scheme: behind a proxy that ends TLS, a request says `http` whatever the browser said. */
function hostOf(origin: string): string | undefined {
  if (!/^https?:/.test(origin) || !URL.canParse(origin)) return undefined;
  return new URL(origin).host;
}

/** The reply to a browser that asks first. Tokens come in a header, so that credentials are never allowed. */
export function toPreflight(headers: OriginVerdict['headers']): Response {
  return new Response(null, {
    status: 204,
    headers: {
      ...headers,
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': 'authorization, content-type',
      'access-control-max-age': '600',
    },
  });
}
