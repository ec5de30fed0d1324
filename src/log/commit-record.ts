import type { EventMeta, RecordedEvent } from '../core/events.ts';
import { eventId } from './record-commit.ts';

/**
 * One stored record: a commit, or a run of a long one. Keyed by the position of its last event, so that "from position
 * p on" is one key range, also when p is in the middle of a record.
 */
export interface CommitRecord {
  /** Positions of its first and its last event. */
  readonly first: number;
  readonly last: number;
  readonly commandId: string;
  readonly correlationId: string;
  readonly causationId?: string;
  readonly recordedAt: number;
  /** Place of the record's first event in its commit. */
  readonly offset: number;
  /** Streams of its events, each once; indexed. */
  readonly streams: readonly string[];
  /** JSON text: `[place in streams, revision, type, version, data]` per event. */
  readonly events: string;
}

/** Most events in one record: what has to be parsed to read one event, and what `read` backwards must look back. */
export const maxRecordEvents = 256;

/** Aimed size of a record's text. Chromium moves values above 64 KiB to files of their own, which fail on their own. */
const maxRecordText = 48_000;

type Row = readonly [stream: number, revision: number, type: string, version: number, data: unknown];

/** Cuts a recorded commit into records. `payloads` are the JSON texts of the events' data. */
export function commitToRecords(events: readonly RecordedEvent[], payloads: readonly string[]): CommitRecord[] {
  const records: CommitRecord[] = [];
  let streams: string[] = [];
  let placeByStream = new Map<string, number>();
  let rows: string[] = [];
  let size = 0;
  const flush = (last: RecordedEvent, offset: number) => {
    const { commandId, correlationId, causationId, recordedAt } = last.meta;
    records.push({
      first: last.position - rows.length + 1,
      last: last.position,
      commandId,
      correlationId,
      ...(causationId === undefined ? {} : { causationId }),
      recordedAt,
      offset,
      streams,
      events: `[${rows.join(',')}]`,
    });
    streams = [];
    placeByStream = new Map();
    rows = [];
    size = 0;
  };
  for (const [index, event] of events.entries()) {
    const payload = payloads[index] ?? '';
    const previous = events[index - 1];
    if (previous && rows.length > 0 && (rows.length === maxRecordEvents || size + payload.length > maxRecordText)) {
      flush(previous, index - rows.length);
    }
    let place = placeByStream.get(event.stream);
    if (place === undefined) {
      place = streams.push(event.stream) - 1;
      placeByStream.set(event.stream, place);
    }
    const row = `[${place},${event.revision},${JSON.stringify(event.type)},${event.version},${payload}]`;
    size += row.length + 1;
    rows.push(row);
  }
  const last = events.at(-1);
  if (last) flush(last, events.length - rows.length);
  return records;
}

/** The events of a record, in order. */
export function recordToEvents(record: CommitRecord): readonly RecordedEvent[] {
  // Our own text, written by `commitToRecords` in the same format version: parsed, not validated, on every read.
  const rows = JSON.parse(record.events) as readonly Row[];
  const { commandId, correlationId, causationId, recordedAt } = record;
  const meta: EventMeta = Object.freeze({
    commandId,
    correlationId,
    ...(causationId === undefined ? {} : { causationId }),
    recordedAt,
  });
  return rows.map(([place, revision, type, version, data], index) => ({
    id: eventId(commandId, record.offset + index),
    stream: record.streams[place] ?? '',
    revision,
    position: record.first + index,
    type,
    version,
    data,
    meta,
  }));
}
