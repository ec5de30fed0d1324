import { SyncFailure } from './sync-failure.ts';

/**
 * Which pages may speak to the server: those of its own origin, and those that are listed. Never all.
 *
 * Throws `SyncFailure` for others; a sender without an origin is no page.
 *
 * @returns the headers that the reply needs.
 */
export function checkOrigin(request: Request, origins: readonly string[]): Record<string, string> {
  const origin = request.headers.get('origin');
  if (origin === null) return { vary: 'origin' };
  if (origins.includes(origin)) {
    return {
      vary: 'origin',
      'access-control-allow-origin': origin,
      'access-control-expose-headers': 'retry-after',
    };
  }
  if (hostOf(origin) === new URL(request.url).host) return { vary: 'origin' };
  throw new SyncFailure('FORBIDDEN', 'Pages of this origin may not speak to the server: it lists those that may.');
}

/** Without the scheme: behind a proxy that ends TLS, a request says `http` whatever the browser said. */
function hostOf(origin: string): string | undefined {
  if (!/^https?:/.test(origin) || !URL.canParse(origin)) return undefined;
  return new URL(origin).host;
}

/** The reply to a browser that asks first. Tokens come in a header, so that credentials are never allowed. */
export function toPreflight(headers: Record<string, string>): Response {
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
