import type { RecordedEvent } from './events.ts';

/** Which events to read; every given field narrows the choice. */
export interface EventQuery {
  readonly stream?: string;
  readonly types?: readonly string[];
  /** First position wanted. */
  readonly from?: number;
  /** Last position wanted. */
  readonly to?: number;
  /** Newest first. */
  readonly backwards?: boolean;
  /** How many events at most. */
  readonly limit?: number;
}

/** Whether an event is one of those that a query asks for, but for its limit. */
export function matchesQuery(event: RecordedEvent, query: EventQuery): boolean {
  return (
    (query.stream === undefined || event.stream === query.stream) &&
    (query.types === undefined || query.types.includes(event.type)) &&
    event.position >= (query.from ?? 1) &&
    event.position <= (query.to ?? Number.MAX_SAFE_INTEGER)
  );
}
