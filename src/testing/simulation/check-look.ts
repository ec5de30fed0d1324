import type { RecordedEvent } from '../../core/events.ts';
import type { Projection } from '../../core/projection.ts';
import type { EventLog } from '../../log/event-log.ts';
import { bank, sizeOf } from './bank.ts';
import type { Tab } from './tab.ts';
import type { Violation } from './violation.ts';

/** What a reader of a tab's log sees in the middle of it all, and what the page shows. */
export async function checkLook(name: string, { log, mirrors }: Tab): Promise<readonly Violation[]> {
  const events = await readAll(log);
  const violations = checkEvents(name, events);
  for (const [projection, { mirror }] of mirrors) {
    // It is starting.
    if (!mirror.loaded) continue;
    if (mirror.position !== events.length) {
      const text = `${name}: ${projection} is at ${mirror.position} of ${events.length}`;
      violations.push({ invariant: 'diverged', text });
    } else violations.push(...checkRows(name, projection, mirror.rows, events));
  }
  return violations;
}

/** Whether events are dense and their commits whole. */
export function checkEvents(name: string, events: readonly RecordedEvent[]): Violation[] {
  const violations: Violation[] = [];
  const torn = (text: string) => violations.push({ invariant: 'torn', text: `${name}: ${text}` });
  const revisions = new Map<string, number>();
  for (let start = 0; start < events.length; ) {
    const first = events[start] as RecordedEvent;
    const size = sizeOf(first);
    const commit = events.slice(start, start + size);
    const isWhole =
      commit.length === size && commit.every(({ id }, index) => id === `${first.meta.commandId}.${index}`);
    if (!isWhole) torn(`${first.id} at ${first.position} is one of ${size}: ${commit.map(({ id }) => id).join(' ')}`);
    start += size;
  }
  for (const [index, { position, stream, revision }] of events.entries()) {
    if (position !== index + 1) torn(`position ${position} is the event number ${index + 1}`);
    const expected = (revisions.get(stream) ?? -1) + 1;
    revisions.set(stream, expected);
    if (revision !== expected) torn(`revision ${revision} of ${stream} is number ${expected}`);
  }
  return violations;
}

export function checkRows(
  name: string,
  projection: string,
  rows: ReadonlyMap<string, unknown>,
  events: readonly RecordedEvent[],
): readonly Violation[] {
  const expected = toText(fold(bank.projections.get(projection), events));
  const actual = toText(rows);
  if (actual === expected) return [];
  const text = `${name}: ${projection} shows\n${actual}\nwhere its log says\n${expected}`;
  return [{ invariant: 'diverged', text }];
}

function fold(projection: Projection | undefined, events: readonly RecordedEvent[]): ReadonlyMap<string, unknown> {
  const rows = new Map<string, unknown>();
  for (const event of events) {
    for (const { key, row } of projection?.project(event, rows) ?? []) {
      if (row === null) rows.delete(key);
      else rows.set(key, row);
    }
  }
  return rows;
}

/** The order in which rows stand is part of them. */
function toText(rows: ReadonlyMap<string, unknown>): string {
  return JSON.stringify([...rows]);
}

export async function readAll(log: EventLog): Promise<readonly RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const page of log.read({})) events.push(...page);
  return events;
}
