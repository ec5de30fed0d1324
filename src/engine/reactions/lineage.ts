import type { RecordedEvent } from '../../core/events.ts';
import { textDigest } from '../../log/text-digest.ts';

/** Longer ids are hashed: an event's id holds that of its command, which may hold that of another event, and so on. */
const maxLength = 120;

/**
 * The id of a command that follows from what `parts` name: the same however often it is sent. `parts[0]` is the name of
 * a consumer, which holds none of the signs between the parts.
 */
export function toCommandId(parts: readonly [string, ...(string | number)[]], text = ''): string {
  const id = `${parts.join(':')}${text === '' ? '' : `:${textDigest(text).slice(0, 32)}`}`;
  return id.length <= maxLength ? id : `${parts[0]}:${textDigest(id)}`;
}

/** Where a handler failed. */
export function eventText({ type, position }: RecordedEvent): string {
  return `on the "${type}" event at position ${position}`;
}
