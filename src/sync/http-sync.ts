import type { Sync } from '../protocol/sync-host.ts';
import { createHttpTransport } from './http-transport.ts';
import { createTokens, type Token } from './tokens.ts';
import { type Principal, toPrincipal } from './transport.ts';
import { transportSync } from './transport-sync.ts';

export interface HttpSyncOptions {
  /** Where the server is: `/sync/hello` and the other routes are below it. */
  readonly url: string;
  /**
   * Sent as `Authorization: Bearer …`. A function is asked again when the server no longer takes what it gave; it gets the
   * principal, for in another tab somebody else may have signed in: whose token it gives, in their name it is sent.
   */
  readonly token: Token;
  /** Who is signed in, where several may use the device: what one of them saved is never sent in another's name. */
  readonly principal?: Principal;
  readonly fetch?: typeof fetch;
}

/**
 * Keeps the log in step with a server of Varve's protocol: `npx varve serve`, or `createSyncHandler` of `varve/server`.
 *
 * ### Example
 * ```ts
 * startWorker(bank, { sync: httpSync({ url: 'https://sync.example', token: () => readToken() }) });
 * ```
 */
export function httpSync({ url, token, principal, fetch: send = (...all) => fetch(...all) }: HttpSyncOptions): Sync {
  const whoIsIt = toPrincipal(principal);
  const transport = createHttpTransport(url, createTokens(token, whoIsIt), send);
  return transportSync(transport, { principal: whoIsIt });
}
