import { FailureError } from '../core/errors.ts';
import { type EventFilter, type EventQuery, matchesQuery } from '../core/event-query.ts';
import type { EventMeta, RecordedEvent } from '../core/events.ts';
import { eventId } from './record-commit.ts';
import {
  countOf,
  decodePayloads,
  fewEvents,
  placeOfStream,
  readIds,
  readMeta,
  readPayloads,
  readRevisions,
  readTags,
  type Segment,
  segmentStreams,
} from './segment.ts';
import { unreadable } from './storage-error.ts';

/**
 * The events of a segment that a query asks for, but for its limit, in order. Only their payloads are parsed.
 *
 * Throws `FailureError` where the segment is not as it was written.
 */
export function segmentToEvents(segment: Segment, query: EventQuery = {}): RecordedEvent[] {
  const wanted = chooseEvents(segment, query);
  if (wanted.length === 0) return [];
  const data = parsePayloads(segment, wanted);
  const { first, types, versions, streamOf, typeOf } = segment;
  const streams = query.stream === undefined ? segmentStreams(segment) : undefined;
  const revisionOf = readRevisions(segment, wanted.length);
  const offset = segment.piece?.offset ?? 0;
  const idOf = readIds(segment.commandIds, wanted.length > fewEvents);
  const events: RecordedEvent[] = [];
  let commit = -1;
  let start = 0;
  let end = 0;
  let meta: EventMeta | undefined;
  for (let index = 0; index < wanted.length; index += 1) {
    const at = wanted[index] ?? 0;
    while (at >= end) {
      commit += 1;
      start = end;
      end += countOf(segment, commit);
      meta = undefined;
    }
    meta ??= readMeta(segment, commit, idOf(commit));
    const type = typeOf[at] ?? 0;
    const tags = segment.tagsOf === undefined ? undefined : readTags(segment, at);
    const event = {
      id: eventId(meta.commandId, offset + at - start),
      stream: query.stream ?? streams?.[streamOf[at] ?? 0] ?? '',
      revision: revisionOf(at),
      position: first + at,
      type: types[type] ?? '',
      version: versions[type] ?? 0,
      data: data[index],
      meta,
    };
    events.push(tags === undefined ? event : { ...event, tags });
  }
  return needsLook(query) ? events.filter((event) => matchesQuery(event, query)) : events;
}

/** What needs the whole event to be decided on: everything but a choice by stream and types. */
function needsLook(query: EventQuery): boolean {
  const { tags, anyOf, since, until } = query;
  return tags !== undefined || anyOf !== undefined || since !== undefined || until !== undefined;
}

/** The places of the events that can match, by the dictionaries alone: without a look at any payload. */
function chooseEvents(segment: Segment, query: EventQuery): readonly number[] {
  const { first, last, streamOf, typeOf } = segment;
  const from = Math.max(0, (query.from ?? 1) - first);
  const to = Math.min(last, query.to ?? last) - first;
  const own = chooseNames(segment, query);
  const others = query.anyOf?.map((filter) => chooseNames(segment, filter)) ?? ['all'];
  const wanted: number[] = [];
  if (own === undefined || others.every((choice) => choice === undefined)) return wanted;
  const takesAll = own === 'all' && others.includes('all');
  for (let at = from; at <= to; at += 1) {
    if (!takesAll) {
      const stream = streamOf[at] ?? 0;
      const type = typeOf[at] ?? 0;
      if (!fits(own, stream, type) || !others.some((choice) => fits(choice, stream, type))) continue;
    }
    wanted.push(at);
  }
  return wanted;
}

/** A filter in places of a segment's dictionaries; undefined where nothing in it can match. */
type NameChoice =
  | 'all'
  | undefined
  | { readonly stream: number | undefined; readonly types: readonly boolean[] | undefined };

function fits(choice: NameChoice, stream: number, type: number): boolean {
  if (choice === undefined) return false;
  if (choice === 'all') return true;
  if (choice.stream !== undefined && choice.stream !== stream) return false;
  return choice.types === undefined || choice.types[type] === true;
}

function chooseNames(segment: Segment, { stream, types, tags }: EventFilter): NameChoice {
  if (tags?.some((tag) => segment.tags?.includes(tag) !== true)) return undefined;
  if (stream === undefined && types === undefined) return 'all';
  const place = stream === undefined ? undefined : placeOfStream(segment, stream);
  if (place === -1) return undefined;
  const wantedTypes = types === undefined ? undefined : segment.types.map((type) => types.includes(type));
  if (wantedTypes !== undefined && !wantedTypes.includes(true)) return undefined;
  return { stream: place, types: wantedTypes };
}

/** The payloads of the wanted events. Our own canonical text: parsed, not validated, on every read. */
function parsePayloads(segment: Segment, wanted: readonly number[]): readonly unknown[] {
  if (wanted.length <= segment.streamOf.length / 4) {
    const lines = readLines(segment);
    return wanted.map((at) => parse(segment, lines[at] ?? ''));
  }
  const text = decodePayloads(segment, segment.payloads);
  // One call for all is twice as fast as one each.
  const all = parse(segment, `[${text}]`) as readonly unknown[];
  return wanted.length === all.length ? all : wanted.map((at) => all[at]);
}

/** Kept with the segment: a group of commands picks the newest events of many streams out of the same few. */
function readLines(segment: Segment): readonly string[] {
  let lines = linesBySegment.get(segment);
  if (lines === undefined) {
    lines = readPayloads(segment);
    linesBySegment.set(segment, lines);
  }
  return lines;
}

const linesBySegment = new WeakMap<Segment, readonly string[]>();

function parse(segment: Segment, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new FailureError(unreadable(segment.first, segment.last));
  }
}
