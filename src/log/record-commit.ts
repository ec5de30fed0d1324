import { FailureError } from '../core/errors.ts';
import type { EventMeta, RecordedEvent } from '../core/events.ts';
import { freezeJson } from '../core/json.ts';
import type { NewCommit, StreamEvent } from './event-log.ts';

/** Largest payload of one event, in UTF-8 bytes of its JSON text. Bigger things belong beside the log, named by their hash. */
export const maxEventBytes = 65_536;

/**
 * Gives the events of a commit their ids, positions and revisions, and freezes them.
 *
 * `revisions` holds the revision of every stream that the commit touches and is moved on.
 *
 * @returns the recorded events and the JSON text of each payload.
 */
export function recordCommit(
  commit: NewCommit,
  head: number,
  revisions: Map<string, number>,
): { readonly events: readonly RecordedEvent[]; readonly payloads: readonly string[] } {
  if (commit.events.length === 0) throw new Error(`The commit of command "${commit.commandId}" holds no event.`);
  const meta: EventMeta = Object.freeze({
    commandId: commit.commandId,
    correlationId: commit.correlationId,
    ...(commit.causationId === undefined ? {} : { causationId: commit.causationId }),
    recordedAt: commit.recordedAt,
  });
  // Checked before anything moves on: a refused commit leaves no revision behind.
  const payloads = commit.events.map(eventToPayload);
  const events = commit.events.map(({ stream, type, version, data }, index): RecordedEvent => {
    const revision = requireRevision(revisions, stream) + 1;
    revisions.set(stream, revision);
    const id = eventId(commit.commandId, index);
    return Object.freeze({ id, stream, revision, position: head + index + 1, type, version, data, meta });
  });
  return { events, payloads };
}

/** The same however often the command is sent, and nothing more to store. */
export function eventId(commandId: string, index: number): string {
  return `${commandId}.${index}`;
}

function requireRevision(revisions: ReadonlyMap<string, number>, stream: string): number {
  const revision = revisions.get(stream);
  if (revision === undefined) throw new Error(`The revision of stream "${stream}" was not read before the append.`);
  return revision;
}

function eventToPayload({ stream, type, data }: StreamEvent): string {
  const problem = freezeJson(data);
  if (problem !== undefined) {
    throw refused(
      `An event "${type}" of stream "${stream}" cannot be stored: ${problem}. Nothing was saved. ` +
        'Payloads are plain JSON, so that every export, hash and device keeps them unchanged: use strings for dates and for very large numbers, and leave absent fields out.',
    );
  }
  const payload = JSON.stringify(data);
  // A UTF-16 unit takes three UTF-8 bytes at most: the exact count is only needed near the limit.
  if (payload.length * 3 > maxEventBytes && new TextEncoder().encode(payload).length > maxEventBytes) {
    throw refused(
      `An event "${type}" of stream "${stream}" is larger than ${maxEventBytes} bytes. Nothing was saved. ` +
        'Keep large content (files, pictures) outside the log and store its name or hash in the event.',
    );
  }
  return payload;
}

function refused(text: string): FailureError {
  return new FailureError({ type: 'storage.event-refused', text });
}
