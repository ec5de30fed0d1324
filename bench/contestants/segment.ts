import { bookingToChange, type LedgerEvent } from '../ledger-data.ts';
import { addToBalance, feedLength, type LedgerState } from './ledger-state.ts';

/** Events in one segment. */
export const segmentLength = 4_096;

/** A run of history in columns. */
export interface Segment {
  readonly first: number;
  readonly length: number;
  readonly streams: readonly string[];
  readonly streamOf: Uint16Array;
  readonly types: readonly string[];
  readonly typeOf: Uint8Array;
  readonly revisions: Uint32Array;
  readonly times: Float64Array;
  /** 16 bytes per event. */
  readonly ids: Uint8Array;
  /** JSON text of an array of all payloads. */
  readonly payloads: string;
}

export function eventsToSegment(events: readonly LedgerEvent[]): Segment {
  const { length } = events;
  const streams = createDictionary();
  const types = createDictionary();
  const segment = {
    first: events[0]?.position ?? 0,
    length,
    streams: streams.words,
    streamOf: new Uint16Array(length),
    types: types.words,
    typeOf: new Uint8Array(length),
    revisions: new Uint32Array(length),
    times: new Float64Array(length),
    ids: new Uint8Array(16 * length),
    payloads: JSON.stringify(events.map(({ data }) => data)),
  };
  for (const [index, { stream, type, revision, recordedAt, id }] of events.entries()) {
    segment.streamOf[index] = streams.place(stream);
    segment.typeOf[index] = types.place(type);
    segment.revisions[index] = revision;
    segment.times[index] = recordedAt;
    for (let byte = 0; byte < 16; byte += 1) {
      segment.ids[16 * index + byte] = Number.parseInt(id.slice(2 * byte, 2 * byte + 2), 16);
    }
  }
  return segment;
}

/** Folds a segment from its columns; only the newest events are made into objects. */
export function addSegment(state: LedgerState, segment: Segment): void {
  // Our own text, written by `eventsToSegment`.
  const payloads = JSON.parse(segment.payloads) as LedgerEvent['data'][];
  const { streams, streamOf, types, typeOf } = segment;
  for (const [index, { amount }] of payloads.entries()) {
    const stream = streams[streamOf[index] ?? 0] ?? '';
    addToBalance(state, stream, bookingToChange(types[typeOf[index] ?? 0] ?? '', amount));
  }
  const newest: LedgerEvent[] = [];
  for (let index = segment.length - 1; index >= 0 && newest.length < feedLength; index -= 1) {
    const data = payloads[index];
    if (data !== undefined) newest.push(eventAt(segment, index, data));
  }
  state.newest = [...newest, ...state.newest].slice(0, feedLength);
}

function eventAt(segment: Segment, index: number, data: LedgerEvent['data']): LedgerEvent {
  const id = segment.ids.subarray(16 * index, 16 * index + 16);
  return {
    position: segment.first + index,
    id: Array.from(id, (byte) => byte.toString(16).padStart(2, '0')).join(''),
    stream: segment.streams[segment.streamOf[index] ?? 0] ?? '',
    revision: segment.revisions[index] ?? 0,
    type: segment.types[segment.typeOf[index] ?? 0] === 'Deposited' ? 'Deposited' : 'Withdrawn',
    version: 1,
    data,
    recordedAt: segment.times[index] ?? 0,
  };
}

function createDictionary() {
  const words: string[] = [];
  const placeByWord = new Map<string, number>();
  return {
    words,
    place: (word: string): number => {
      const found = placeByWord.get(word);
      if (found !== undefined) return found;
      const place = words.push(word) - 1;
      placeByWord.set(word, place);
      return place;
    },
  };
}
