import type { EventFilter, EventQuery } from '../../core/event-query.ts';
import type { RecordedEvent } from '../../core/events.ts';
import type { NewCommit, StreamEvent } from '../../log/event-log.ts';

/** A commit of one event for each stream named, of the types "Even" and "Odd" in turn. */
export function commitOf(commandId: string, streams: readonly string[], change: Partial<NewCommit> = {}): NewCommit {
  const events = streams.map((stream, index) => eventOf({ stream, type: index % 2 === 0 ? 'Even' : 'Odd' }, index));
  return { commandId, correlationId: commandId, recordedAt: 1000, events, ...change };
}

export function eventOf(change: Partial<StreamEvent> = {}, index = 0): StreamEvent {
  return { stream: 'a-1', type: 'Noted', version: 1, data: { index }, ...change };
}

/** What a log must give back for these commits: written apart from the code that it checks. */
export function recordedOf(commits: readonly NewCommit[]): RecordedEvent[] {
  const revisions = new Map<string, number>();
  const all: RecordedEvent[] = [];
  for (const { events, ...meta } of commits) {
    for (const [index, { tags = [], ...event }] of events.entries()) {
      const revision = (revisions.get(event.stream) ?? -1) + 1;
      revisions.set(event.stream, revision);
      const sorted = [...new Set(tags)].sort();
      const id = `${meta.commandId}.${index}`;
      const position = all.length + 1;
      all.push({ ...event, id, revision, position, meta, ...(sorted.length === 0 ? {} : { tags: sorted }) });
    }
  }
  return all;
}

/** The events that a query asks for, found one by one: written apart from the code that it checks. */
export function filterOf(all: readonly RecordedEvent[], query: EventQuery): RecordedEvent[] {
  const fits = ({ stream, type, tags = [] }: RecordedEvent, filter: EventFilter) => {
    if (filter.stream !== undefined && filter.stream !== stream) return false;
    if (filter.types !== undefined && !filter.types.includes(type)) return false;
    return (filter.tags ?? []).every((tag) => tags.includes(tag));
  };
  const found = all.filter((event) => {
    if (query.from !== undefined && event.position < query.from) return false;
    if (query.to !== undefined && event.position > query.to) return false;
    if (query.since !== undefined && event.meta.recordedAt < query.since) return false;
    if (query.until !== undefined && event.meta.recordedAt >= query.until) return false;
    if (query.anyOf !== undefined && !query.anyOf.some((filter) => fits(event, filter))) return false;
    return fits(event, query);
  });
  if (query.backwards) found.reverse();
  return query.limit === undefined ? found : found.slice(0, query.limit);
}

const types = ['Opened', 'Deposited', 'Withdrawn', 'Renamed', 'Closed'] as const;
const tags = ['red', 'green', 'blue', 'owner:1', 'owner:2', 'owner:10', 'žluť', 'rare'] as const;

/** Commits of mixed sizes in a dozen streams, told by clocks that jump; the same for the same seed. */
export function sampleCommits(count: number, seed = 1): NewCommit[] {
  const random = seededRandom(seed);
  let clock = 1_700_000_000_000;
  return range(0, count - 1).map((number): NewCommit => {
    clock += random.below(60_000);
    if (random.below(10) === 0) clock -= random.below(86_400_000);
    // A device without a battery starts in 1970; another one is a century ahead.
    const recordedAt = random.below(40) === 0 ? random.pick([0, 4_900_000_000_000, -5]) : clock;
    const events = range(1, sizeOf(number, random)).map((index) => sampleEvent(number, index, random));
    const causationId = random.below(4) === 0 ? { causationId: `cause-${number}` } : {};
    const correlationId = random.below(3) === 0 ? `root-${number}` : `c${number}`;
    return { commandId: `c${number}`, correlationId, ...causationId, recordedAt, events };
  });
}

function sizeOf(number: number, random: Random): number {
  if (number === 140) return 700;
  return random.pick([1, 1, 1, 1, 1, 2, 2, 3, 3, random.below(12) + 1, random.below(100) === 0 ? 120 : 4]);
}

function sampleEvent(number: number, index: number, random: Random): StreamEvent {
  const stream = random.below(60) === 0 ? `rare-${number}` : `account-${random.below(12)}`;
  const type = random.pick(types);
  const ownTags = range(1, random.pick([0, 0, 1, 1, 2, 3])).map(() => random.pick(tags.slice(0, 7)));
  const rare = number % 97 === 3 && index === 1 ? ['rare'] : [];
  return {
    stream,
    type,
    version: type === 'Renamed' ? random.pick([1, 2]) : 1,
    data: { amount: random.below(10_000) / 100, note: `č. ${number}/${index}`, on: random.below(2) === 0 },
    ...(ownTags.length + rare.length === 0 ? {} : { tags: [...ownTags, ...rare] }),
  };
}

/** Queries of every kind over what `sampleCommits` makes, most of them with several conditions at once. */
export function sampleQueries(all: readonly RecordedEvent[], count: number, seed = 2): EventQuery[] {
  const random = seededRandom(seed);
  const streamOf = () => random.pick([random.pick(all).stream, `account-${random.below(14)}`]);
  const timeOf = () => random.pick(all).meta.recordedAt + random.pick([-1, 0, 0, 1]);
  const filter = (): EventFilter => ({
    ...(random.below(3) === 0 ? { stream: streamOf() } : {}),
    ...(random.below(3) === 0 ? { types: range(1, 1 + random.below(2)).map(() => random.pick(types)) } : {}),
    ...(random.below(4) === 0 ? { tags: range(1, 1 + random.below(2)).map(() => random.pick(tags)) } : {}),
  });
  return range(1, count).map(() => {
    const from = 1 + random.below(all.length);
    return {
      ...filter(),
      ...(random.below(4) === 0 ? { anyOf: range(1, 1 + random.below(3)).map(filter) } : {}),
      ...(random.below(3) === 0 ? { from } : {}),
      ...(random.below(3) === 0 ? { to: random.pick([from + random.below(300), random.below(all.length)]) } : {}),
      ...(random.below(6) === 0 ? { since: timeOf() } : {}),
      ...(random.below(6) === 0 ? { until: timeOf() } : {}),
      ...(random.below(2) === 0 ? { backwards: true } : {}),
      ...(random.below(3) === 0 ? { limit: random.pick([1, 2, random.below(40), 500]) } : {}),
    };
  });
}

export interface Random {
  /** A whole number from 0, below `end`. */
  below(end: number): number;
  pick<Item>(items: readonly Item[]): Item;
}

/** Mulberry32: the same numbers for the same seed on every platform. */
export function seededRandom(seed: number): Random {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (end: number) => Math.floor(next() * end);
  // Below the length: there is one.
  return { below, pick: <Item>(items: readonly Item[]) => items[below(items.length)] as Item };
}

/** Whole numbers, both ends included. */
export function range(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
}
