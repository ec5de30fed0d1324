import type { PackedCommit } from './segment.ts';

/** Most events of a segment, and the bytes to aim at: below 64 KiB Chromium keeps a value in the database, above in a file of its own. */
export const fullSegment: { readonly events: number; readonly bytes: number } = Object.freeze({
  events: 512,
  bytes: 56_000,
});

/** What goes into a segment together: a commit, or a short segment that a longer one takes in. */
export interface SegmentPart {
  readonly commits: number;
  readonly events: number;
  readonly payloadBytes: number;
  /** What stands in dictionaries, or in lists of texts. */
  readonly names: readonly string[];
}

/** A command id, a time and a mark; two places in dictionaries and a separator; a revision or a place beside each name. */
const bytesOf = Object.freeze({ commit: 24, event: 6, name: 5 });

/** Fills one segment: `take` answers false, and takes nothing, where a part has no room any more. */
export function createSegmentRoom(): { take(part: SegmentPart): boolean } {
  const known = new Set<string>();
  let events = 0;
  let bytes = 0;
  return {
    take: (part) => {
      let added = part.commits * bytesOf.commit + part.events * bytesOf.event + part.payloadBytes;
      for (const name of part.names) if (!known.has(name)) added += name.length + bytesOf.name;
      if (events + part.events > fullSegment.events || bytes + added > fullSegment.bytes) return false;
      for (const name of part.names) known.add(name);
      events += part.events;
      bytes += added;
      return true;
    },
  };
}

export function commitToPart({ head, events, payloads }: PackedCommit): SegmentPart {
  const names: string[] = [];
  if (head.correlationId !== head.commandId) names.push(head.correlationId);
  if (head.causationId !== undefined) names.push(head.causationId);
  let payloadBytes = 0;
  for (let index = 0; index < events.length; index += 1) {
    const event = events[index];
    if (event === undefined) continue;
    names.push(event.stream);
    if (event.tags !== undefined) names.push(...event.tags);
    payloadBytes += utf8Length(payloads[index] ?? '');
  }
  return { commits: 1, events: events.length, payloadBytes, names };
}

/** Bytes of a well-formed text in UTF-8, without making them. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) continue;
    // Of a pair of surrogates, four bytes together.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 1 : 2;
  }
  return bytes;
}
