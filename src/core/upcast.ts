import type { App } from './app.ts';
import type { UnreadableEvent } from './errors.ts';
import type { EventDefinition, RecordedEvent } from './events.ts';

/** Shows stored events in the form that this build of the app knows. */
export interface Upcaster {
  /** The events in their newest form; the same array where none is older. */
  upcast(events: readonly RecordedEvent[]): readonly RecordedEvent[];
  /** Those of these events that this build can read; the same array where it can read all. */
  readable(events: readonly RecordedEvent[]): readonly RecordedEvent[];
  /** Why an event that `upcast` gave is in a form that this build does not know; undefined where it does. */
  whyUnreadable(event: RecordedEvent): UnreadableEvent | undefined;
  /** Whether there is code for events that were stored under this type and version. */
  knows(type: string, version: number): boolean;
  /** These types, and the names that they were stored under before. */
  storedTypes(types: readonly string[]): readonly string[];
}

/**
 * Events that are newer than the code stay as they are stored, and so do those on which an upcaster threw:
 * `whyUnreadable` tells them, and whoever folds leaves them out.
 */
export function createUpcaster({ events: definitions }: Pick<App, 'events'>): Upcaster {
  const definitionByStoredType = new Map(definitions);
  for (const definition of definitions.values()) {
    for (const former of definition.history.formerTypes) definitionByStoredType.set(former, definition);
  }
  const hasHistory = [...definitions.values()].some(
    ({ version, history }) => version > 1 || history.formerTypes.length > 0,
  );
  const failed = new WeakMap<RecordedEvent, UnreadableEvent>();

  function upcastOne(event: RecordedEvent): RecordedEvent {
    const definition = definitionByStoredType.get(event.type);
    if (definition === undefined || event.version > definition.version) return event;
    if (event.version === definition.version && event.type === definition.type) return event;
    try {
      return Object.freeze({ ...event, type: definition.type, data: upcastData(definition, event) });
    } catch (error) {
      const kept = Object.freeze({ ...event });
      failed.set(kept, upcasterFailed(kept, definition, error));
      return kept;
    }
  }

  function isReadable(event: RecordedEvent): boolean {
    const definition = definitions.get(event.type);
    return definition !== undefined && event.version <= definition.version && !(hasHistory && failed.has(event));
  }

  return {
    // For every event that is folded, too: no text is made of those that can be read.
    readable: (events) => (events.every(isReadable) ? events : events.filter(isReadable)),
    upcast: (events) => {
      // This runs for every event that is read, and nearly always there is none.
      if (!hasHistory) return events;
      const isOld = ({ type, version }: RecordedEvent) => {
        const definition = definitions.get(type);
        return definition === undefined ? definitionByStoredType.has(type) : version < definition.version;
      };
      return events.some(isOld) ? events.map((event) => (isOld(event) ? upcastOne(event) : event)) : events;
    },
    whyUnreadable: (event) => {
      if (isReadable(event)) return undefined;
      return failed.get(event) ?? fromTheFuture(event, definitions.get(event.type));
    },
    knows: (type, version) => version <= (definitionByStoredType.get(type)?.version ?? 0),
    storedTypes: (types) => types.flatMap((type) => [type, ...(definitions.get(type)?.history.formerTypes ?? [])]),
  };
}

function upcastData({ history }: EventDefinition, { data, version }: RecordedEvent): unknown {
  let newest = data;
  // The chain was typed link by link where it was declared.
  for (const upcast of history.upcasters.slice(version - 1)) newest = upcast(newest as never);
  return deepFreeze(newest);
}

/** Payloads are frozen through and through, however they came about. */
function deepFreeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}

function fromTheFuture(event: RecordedEvent, definition: EventDefinition | undefined): UnreadableEvent {
  const known =
    definition === undefined
      ? 'this build of the app does not know the type'
      : `this build knows version ${definition.version}`;
  return {
    type: 'event.future',
    text:
      `The event "${event.type}" version ${event.version} at position ${event.position} was written by another build of the app: ${known}. ` +
      'It is kept, and nothing is decided without it. Reload the page to get the newest build; if this is the newest, declare the type again, as deprecated.',
    ...identify(event),
  };
}

function upcasterFailed(event: RecordedEvent, { type }: EventDefinition, error: unknown): UnreadableEvent {
  return {
    type: 'event.upcaster-failed',
    text:
      `An upcaster of the event "${type}" threw on version ${event.version} at position ${event.position}: ${String(error)}. ` +
      'The event is kept as it is stored, and left out of what is folded. Mend the upcaster: it must take everything that was ever stored in that version.',
    ...identify(event),
  };
}

function identify({
  type,
  version,
  position,
}: RecordedEvent): Pick<UnreadableEvent, 'eventType' | 'version' | 'position'> {
  return { eventType: type, version, position };
}
