import type { RecordedEvent } from './events.ts';

/** A choice of events; every given field narrows it, and one without fields chooses all. */
export interface EventFilter {
  readonly stream?: string;
  /** Any of these types. */
  readonly types?: readonly string[];
  /** All of these tags. */
  readonly tags?: readonly string[];
}

/** Which events to read, and how; every given field narrows the choice. */
export interface EventQuery extends EventFilter {
  /** Any of these filters. */
  readonly anyOf?: readonly EventFilter[];
  /** First position wanted. */
  readonly from?: number;
  /** Last position wanted. */
  readonly to?: number;
  /** Recorded at or after this time: milliseconds since 1970. Clocks jump: a choice, never an order. */
  readonly since?: number;
  /** Recorded before this time: milliseconds since 1970. */
  readonly until?: number;
  /** Newest first. */
  readonly backwards?: boolean;
  /** How many events at most. */
  readonly limit?: number;
}

/** Whether an event is one of those that a query asks for, but for its limit. */
export function matchesQuery(event: RecordedEvent, query: EventQuery): boolean {
  return (
    event.position >= (query.from ?? 1) &&
    event.position <= (query.to ?? Number.MAX_SAFE_INTEGER) &&
    event.meta.recordedAt >= (query.since ?? Number.NEGATIVE_INFINITY) &&
    event.meta.recordedAt < (query.until ?? Number.POSITIVE_INFINITY) &&
    matchesFilter(event, query) &&
    (query.anyOf === undefined || query.anyOf.some((filter) => matchesFilter(event, filter)))
  );
}

export function matchesFilter(
  event: Pick<RecordedEvent, 'stream' | 'type' | 'tags'>,
  { stream, types, tags }: EventFilter,
): boolean {
  return (
    (stream === undefined || event.stream === stream) &&
    (types === undefined || types.includes(event.type)) &&
    (tags === undefined || tags.every((tag) => event.tags?.includes(tag) === true))
  );
}
