import type { Sync } from '../protocol/sync-host.ts';
import { startLoop } from './loop.ts';
import { type Principal, type SyncTransport, toPrincipal } from './transport.ts';

/**
 * Sync over a way of one's own: a socket, a message channel, another protocol that is translated.
 *
 * ### Example
 * ```ts
 * startWorker(bank, { sync: transportSync(overWebSocket('wss://sync.example'), { principal: () => user.id }) });
 * ```
 */
export function transportSync(transport: SyncTransport, { principal }: { readonly principal?: Principal } = {}): Sync {
  const whoIsIt = toPrincipal(principal);
  return { principal: whoIsIt, start: (host) => startLoop(host, transport, whoIsIt) };
}
