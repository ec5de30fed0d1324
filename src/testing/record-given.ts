import type { NewEvent, RecordedEvent } from '../core/events.ts';
import { recordEvent, toMeta } from '../log/record-commit.ts';
import { sortTags } from '../protocol/commit-checks.ts';

/** Where a given event stands. */
export interface GivenPlace {
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
  /** Milliseconds since 1970. */
  readonly recordedAt: number;
}

/** An event of a specification as the log would have recorded it, in a commit of its own. */
export function recordGiven({ type, data, tags = [] }: NewEvent, place: GivenPlace): RecordedEvent {
  const { stream, revision, position, recordedAt } = place;
  const commandId = `given-${position}`;
  const meta = toMeta({ commandId, correlationId: commandId, recordedAt });
  return recordEvent({ stream, type, version: 1, data, tags: sortTags(tags) }, { index: 0, revision, position, meta });
}
