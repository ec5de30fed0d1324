import { describe, expect, it } from 'vitest';
import { commitToPart, createSegmentRoom, fullSegment, utf8Length } from './segment-room.ts';

describe('the room of a segment', () => {
  it('counts a name once, and takes nothing of what does not fit', () => {
    const room = createSegmentRoom();
    const part = (payloadBytes: number, names: readonly string[]) => ({ commits: 1, events: 1, payloadBytes, names });
    const stream = 's'.repeat(1000);
    const left = fullSegment.bytes - 2 * (24 + 6) - (1000 + 5);
    expect(room.take(part(left - 10, [stream]))).toBe(true);
    expect(room.take(part(11, [stream]))).toBe(false);
    expect(room.take(part(5, ['another stream']))).toBe(false);
    expect(room.take(part(10, [stream]))).toBe(true);
  });

  it('holds so many events and no more', () => {
    const room = createSegmentRoom();
    const part = { commits: 1, events: fullSegment.events, payloadBytes: 0, names: [] };
    expect(room.take(part)).toBe(true);
    expect(room.take({ ...part, events: 1 })).toBe(false);
  });

  it('names what a commit brings with it', () => {
    const head = {
      commandId: 'c',
      correlationId: 'root',
      causationId: 'cause',
      recordedAt: 0,
      client: 'me',
      clientSeq: 1,
    };
    const event = { stream: 'a-1', revision: 0, type: 'Done', version: 1 };
    const commit = {
      head,
      events: [event, { ...event, tags: ['t'] }],
      payloads: ['"é"', '1'],
      prev: new Uint8Array(32),
      mark: 0,
    };
    expect(commitToPart(commit)).toEqual({
      commits: 1,
      events: 2,
      payloadBytes: 5,
      names: ['root', 'cause', 'a-1', 'a-1', 't'],
    });
  });

  it('measures texts as they are encoded', () => {
    for (const text of ['', 'plain', 'žluťoučký', '漢字', 'a𐍈b😀']) {
      expect(utf8Length(text), text).toBe(new TextEncoder().encode(text).length);
    }
  });
});
