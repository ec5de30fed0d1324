import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEventReader, type ServerEvent } from './event-stream.ts';

function read(...chunks: readonly string[]): readonly ServerEvent[] {
  const events: ServerEvent[] = [];
  const push = createEventReader((event) => events.push(event));
  for (const chunk of chunks) push(chunk);
  return events;
}

describe('an event stream', () => {
  it('has events, comments and empty ones', () => {
    expect(
      read('event: poke\ndata: {"g":1}\n\n: beat\n\nevent: x\n\ndata:a\ndata\ndata:  b\nid: 7\n\ndata: cut'),
    ).toEqual([
      { event: 'poke', data: '{"g":1}' },
      { event: 'message', data: 'a\n\n b' },
    ]);
  });

  it('is the same wherever it is cut, and however its lines end', () => {
    const stream = ['event: poke', 'data: 1', 'data: 2', '', ': beat', '', 'data: 3', '', ''];
    fc.assert(
      fc.property(fc.constantFrom('\n', '\r\n', '\r'), fc.array(fc.nat(60), { maxLength: 5 }), (end, cuts) => {
        const text = stream.join(end);
        const places = [0, ...cuts.filter((cut) => cut < text.length).sort((one, other) => one - other), text.length];
        const chunks = places.slice(1).map((place, index) => text.slice(places[index], place));
        expect(read(...chunks)).toEqual([
          { event: 'poke', data: '1\n2' },
          { event: 'message', data: '3' },
        ]);
      }),
    );
  });

  it('is given up where an event has no end', () => {
    const long = 'x'.repeat(10_000);
    expect(() => read(`data: ${long}`, long)).toThrow('has no end');
    expect(() => read(`data: ${long}\n`, `data: ${long}\n`)).toThrow('has no end');
    expect(() => read('data:\n'.repeat(20_000))).toThrow('has no end');
    expect(read(`: ${long}\n`, `: ${long}\n`, 'data: 1\n\n')).toHaveLength(1);
  });
});
