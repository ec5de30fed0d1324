const own = 'varve-sync';

/** What the service worker is woken by: the ledger that waits, which is this device's own, or one that it has joined. */
export function toTag(log: string | undefined): string {
  return log === undefined ? own : `${own}:${log}`;
}

/** Undefined where it is no tag of ours. */
export function readTag(tag: string): { readonly log?: string } | undefined {
  if (tag === own) return {};
  return tag.startsWith(`${own}:`) ? { log: tag.slice(own.length + 1) } : undefined;
}
