import type { NewEvent, RecordedEvent } from '../core/events.ts';

/** Where a given event stands. */
export interface GivenPlace {
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
  /** Milliseconds since 1970. */
  readonly recordedAt: number;
}

/** An event of a specification as the log would have recorded it, in a commit of its own. */
export function recordGiven({ type, data, tags }: NewEvent, place: GivenPlace): RecordedEvent {
  const { recordedAt, ...at } = place;
  const commandId = `given-${place.position}`;
  const meta = { commandId, correlationId: commandId, recordedAt };
  const event = { id: `${commandId}.0`, ...at, type, version: 1, data, meta };
  return Object.freeze(tags === undefined ? event : { ...event, tags });
}
