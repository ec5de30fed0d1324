import type { Aggregate } from './aggregate.ts';
import type { Decision } from './decision.ts';
import type { EventDefinition } from './events.ts';
import type { Process } from './process.ts';
import type { Projection } from './projection.ts';
import type { Reactor } from './reactor.ts';
import { requireName } from './stream-id.ts';

/** What the page, the worker and the tests all import: the definitions of one app. */
export interface App {
  readonly kind: 'app';
  /** Names the database. Two apps of one origin need two names. */
  readonly name: string;
  /** Grows with every release that a server, or another tab, should be able to tell from those before. */
  readonly version: number;
  readonly aggregates: ReadonlyMap<string, Aggregate>;
  readonly projections: ReadonlyMap<string, Projection>;
  readonly decisions: ReadonlyMap<string, Decision>;
  /** Reactors and processes. */
  readonly consumers: ReadonlyMap<string, Consumer>;
  /** Every event that any aggregate, projection, decision or consumer names, by type. */
  readonly events: ReadonlyMap<string, EventDefinition>;
}

/** What follows the log with effects: each has a checkpoint of its own, under its name. */
export type Consumer = Reactor | Process;

/**
 * Joins definitions to an app.
 *
 * Mistakes in definitions throw here, at start, and not at the first click: two of one name, two events of one type.
 */
export function defineApp(definition: {
  readonly name: string;
  /**
   * For sync: grows with every build whose commands take more, or other input. A server may ask for a newer one, and what
   * a newer one saved is not decided again by an older one in another tab. A whole number; 0 by default.
   */
  readonly version?: number;
  readonly aggregates: readonly Aggregate[];
  readonly projections: readonly Projection[];
  readonly decisions?: readonly Decision[];
  readonly reactors?: readonly Reactor[];
  readonly processes?: readonly Process[];
}): App {
  const { name, version = 0, aggregates, projections, decisions = [], reactors = [], processes = [] } = definition;
  requireName('app', name);
  if (!Number.isSafeInteger(version) || version < 0) {
    throw new Error(`The version of the app "${name}" is ${version}. Give a whole number that is not negative.`);
  }
  const events = new Map<string, EventDefinition>();
  const consumers = [...reactors, ...processes];
  for (const owner of [...aggregates, ...projections, ...decisions, ...consumers]) {
    for (const event of Object.values(owner.events)) {
      if (events.has(event.type) && events.get(event.type) !== event) {
        throw new Error(
          `The app "${name}" has two different events of type "${event.type}"; one of them comes from the ${owner.kind} "${owner.name}". ` +
            'An event type is unique in an app: rename one, or share one set.',
        );
      }
      events.set(event.type, event);
    }
  }
  for (const event of events.values()) requireFormerTypesFree(name, event, events);
  const app: App = {
    kind: 'app',
    name,
    version,
    aggregates: byName(name, 'aggregates', aggregates),
    projections: byName(name, 'projections', projections),
    decisions: byName(name, 'decisions', decisions),
    consumers: byName(name, 'consumers', consumers),
    events,
  };
  // Both name streams.
  byName(name, 'aggregates and decisions', [...aggregates, ...decisions]);
  return app;
}

function requireFormerTypesFree(
  app: string,
  event: EventDefinition,
  events: ReadonlyMap<string, EventDefinition>,
): void {
  for (const former of event.history.formerTypes) {
    const holder =
      events.get(former) ??
      [...events.values()].find((other) => other !== event && other.history.formerTypes.includes(former));
    if (holder === undefined) continue;
    throw new Error(
      `The app "${app}" has an event "${event.type}" that was formerly "${former}", and an event "${holder.type}" that claims this name too. ` +
        'A stored name belongs to one type: give the newer one another name.',
    );
  }
}

function byName<Definition extends { readonly name: string }>(
  app: string,
  what: string,
  definitions: readonly Definition[],
): ReadonlyMap<string, Definition> {
  const definitionsByName = new Map<string, Definition>();
  for (const definition of definitions) {
    if (definitionsByName.has(definition.name)) {
      throw new Error(`The app "${app}" has two ${what} named "${definition.name}". Rename one.`);
    }
    definitionsByName.set(definition.name, definition);
  }
  return definitionsByName;
}
