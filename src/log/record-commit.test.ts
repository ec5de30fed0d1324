import { describe, expect, it } from 'vitest';
import { FailureError } from '../core/errors.ts';
import type { NewCommit, StreamEvent } from './event-log.ts';
import { eventId, recordCommit } from './record-commit.ts';

function counted(change: Partial<StreamEvent> = {}): StreamEvent {
  return { stream: 'counter-1', type: 'Counted', version: 1, data: { by: 1 }, ...change };
}

function commitOf(events: readonly StreamEvent[], change: Partial<NewCommit> = {}): NewCommit {
  return { commandId: 'c1', correlationId: 'c1', recordedAt: 5, events, ...change };
}

function record(commit: NewCommit, { head = 0, maxEventBytes = 65_536 } = {}) {
  const revisions = new Map(commit.events.map(({ stream }) => [stream, -1]));
  return { ...recordCommit(commit, head, revisions, maxEventBytes), revisions };
}

/** What `record` says no with. */
function refusal(commit: NewCommit, options?: Parameters<typeof record>[1]): string {
  try {
    record(commit, options);
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    expect(error.failure.type).toBe('storage.event-refused');
    return error.failure.text;
  }
  return 'it was recorded';
}

describe('recordCommit', () => {
  it('gives ids, positions and revisions', () => {
    const events = [counted(), counted({ stream: 'counter-2' }), counted({ data: { by: 2 } })];
    const recorded = record(commitOf(events), { head: 7 });
    expect(recorded.events.map(({ id, position, stream, revision }) => [id, position, stream, revision])).toEqual([
      ['c1.0', 8, 'counter-1', 0],
      ['c1.1', 9, 'counter-2', 0],
      ['c1.2', 10, 'counter-1', 1],
    ]);
    expect(recorded.payloads).toEqual(['{"by":1}', '{"by":1}', '{"by":2}']);
    expect([...recorded.revisions]).toEqual([
      ['counter-1', 1],
      ['counter-2', 0],
    ]);
    expect(recorded.events[0]?.id).toBe(eventId('c1', 0));
  });

  it('freezes the event, its payload, its tags and what stands around it', () => {
    const [event] = record(commitOf([counted({ data: { list: [{}] }, tags: ['a'] })])).events;
    const data = event?.data as { list: object[] };
    for (const part of [event, data, data.list, data.list[0], event?.tags, event?.meta]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  it('leaves causation and tags out where there are none', () => {
    const [event] = record(commitOf([counted({ tags: [] })])).events;
    expect(event).toStrictEqual({
      ...counted(),
      id: 'c1.0',
      revision: 0,
      position: 1,
      meta: { commandId: 'c1', correlationId: 'c1', recordedAt: 5 },
    });
  });

  it('sorts tags and keeps each once', () => {
    const tags = ['order:2', 'a', 'order:10', 'a', 'Ä', '€'];
    expect(record(commitOf([counted({ tags })])).events[0]?.tags).toEqual(['a', 'order:10', 'order:2', 'Ä', '€']);
    expect(tags).toHaveLength(6);
  });

  it('takes 32 different tags and refuses 33', () => {
    const tags = Array.from({ length: 33 }, (_, index) => `t${index}`);
    expect(record(commitOf([counted({ tags: [...tags.slice(1), 't1'] })])).events[0]?.tags).toHaveLength(32);
    expect(refusal(commitOf([counted({ tags })]))).toContain('it has 33 tags, and 32 are the most');
  });

  it('moves no revision on where a later event is refused', () => {
    const revisions = new Map([['counter-1', 3]]);
    const commit = commitOf([counted(), counted({ data: undefined })]);
    expect(() => recordCommit(commit, 4, revisions)).toThrow('cannot be stored: the value is undefined');
    expect([...revisions]).toEqual([['counter-1', 3]]);
  });

  it('is a bug without events, or without the revision of a stream', () => {
    expect(() => record(commitOf([]))).toThrow('The commit of command "c1" holds no event.');
    expect(() => recordCommit(commitOf([counted()]), 0, new Map())).toThrow('The revision of stream "counter-1"');
  });
});

describe('recordCommit, of names,', () => {
  const named: Record<string, { readonly max: number; readonly make: (name: string) => NewCommit }> = {
    'command id': { max: 256, make: (commandId) => commitOf([counted()], { commandId }) },
    'correlation id': { max: 512, make: (correlationId) => commitOf([counted()], { correlationId }) },
    'causation id': { max: 512, make: (causationId) => commitOf([counted()], { causationId }) },
    'stream id': { max: 512, make: (stream) => commitOf([counted({ stream })]) },
    'event type': { max: 256, make: (type) => commitOf([counted({ type })]) },
    tag: { max: 256, make: (tag) => commitOf([counted({ tags: ['fine', tag] })]) },
  };

  it.each(Object.entries(named))('takes a %s of any script, up to its length', (_kind, { max, make }) => {
    expect(refusal(make('kůň-🐎 "quoted" \\'))).toBe('it was recorded');
    expect(refusal(make('x'.repeat(max)))).toBe('it was recorded');
  });

  it.each(Object.entries(named))('refuses a %s that is empty, no text or too long', (kind, { max, make }) => {
    expect(refusal(make(''))).toContain(`its ${kind} is empty`);
    expect(refusal(make(7 as never))).toContain(`its ${kind} is not a text`);
    expect(refusal(make('x'.repeat(max + 1)))).toContain(`its ${kind} is longer than ${max} characters`);
  });

  it.each(Object.entries(named))('refuses a %s with control characters or half a character', (kind, { make }) => {
    for (const name of ['a\u0000', 'a\n', '\u001f', '\u007f', 'a\u0085b', '\ud83d', 'a\udc0eb']) {
      expect(refusal(make(name))).toContain(`its ${kind} holds a control character or a lone surrogate`);
    }
  });

  it.each(['command id', 'stream id', 'event type', 'tag'])('keeps "$" at the start of a %s for the system', (kind) => {
    expect(refusal(named[kind]?.make('$system') as NewCommit)).toContain(`its ${kind} starts with "$"`);
    expect(refusal(named[kind]?.make('a$') as NewCommit)).toBe('it was recorded');
  });

  it.each(['correlation id', 'causation id'])('takes "$" at the start of a %s, which may be of the system', (kind) => {
    expect(refusal(named[kind]?.make('$system') as NewCommit)).toBe('it was recorded');
  });
});

describe('recordCommit, of limits,', () => {
  it.each([1, 65_535])('takes the version %s', (version) => {
    expect(record(commitOf([counted({ version })])).events[0]?.version).toBe(version);
  });

  it.each([0, -1, 1.5, 65_536, Number.NaN])('refuses the version %s', (version) => {
    expect(refusal(commitOf([counted({ version })]))).toContain(`its version ${version} is not a whole number`);
  });

  it.each([0, -1, Date.UTC(2500, 0)])('takes the time %s', (recordedAt) => {
    expect(record(commitOf([counted()], { recordedAt })).events[0]?.meta.recordedAt).toBe(recordedAt);
  });

  it.each([0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('refuses the time %s', (recordedAt) => {
    expect(refusal(commitOf([counted()], { recordedAt }))).toContain(`its time ${recordedAt} is not a whole number`);
  });

  it('counts the bytes of the canonical text, not its characters', () => {
    const maxEventBytes = 100;
    const ofBytes = (text: string) => commitOf([counted({ data: text })]);
    expect(refusal(ofBytes('x'.repeat(98)), { maxEventBytes })).toBe('it was recorded');
    expect(refusal(ofBytes('x'.repeat(99)), { maxEventBytes })).toContain('it is larger than 100 bytes');
    expect(refusal(ofBytes('ž'.repeat(49)), { maxEventBytes })).toBe('it was recorded');
    expect(refusal(ofBytes('ž'.repeat(50)), { maxEventBytes })).toContain('it is larger than 100 bytes');
    expect(refusal(ofBytes('"'.repeat(50)), { maxEventBytes })).toContain('it is larger than 100 bytes');
  });

  it('takes 64 KiB where no other limit is given', () => {
    const ofLength = (length: number) => commitOf([counted({ data: 'x'.repeat(length) })]);
    const revisions = () => new Map([['counter-1', -1]]);
    expect(recordCommit(ofLength(65_534), 0, revisions()).events).toHaveLength(1);
    expect(() => recordCommit(ofLength(65_535), 0, revisions())).toThrow('larger than 65536 bytes');
  });

  it('says which field JSON cannot carry', () => {
    expect(refusal(commitOf([counted({ data: { a: { when: new Date(0) } } })]))).toContain('"a.when" is a Date');
  });
});
