import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toCanonicalJson } from '../core/json.ts';
import type { Parsed } from './parse.ts';
import {
  parseCommonReply,
  parseHelloReply,
  parsePullReply,
  parsePushReply,
  parseSyncError,
  parseSyncPoke,
} from './parse-sync-reply.ts';
import { parseCommonRequest, parseHelloRequest, parsePullRequest, parsePushRequest } from './parse-sync-request.ts';
import { noHash, type SyncCommit } from './sync-commit.ts';
import {
  type CommonRequest,
  type HelloReply,
  type HelloRequest,
  type PullReply,
  type PullRequest,
  type PushReply,
  type PushRequest,
  type SyncError,
  type SyncPoke,
  syncErrorCodes,
} from './sync-messages.ts';

const hash = fc.stringMatching(/^[0-9a-f]{64}$/).filter((text) => text !== noHash);
const id = fc.stringMatching(/^[A-Za-z0-9._-]{1,40}$/);
const name = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
  .filter((text) => text.isWellFormed() && !/^\$|\p{Cc}/u.test(text));
const count = fc.maxSafeNat();
const time = fc.maxSafeInteger().map((value) => value + 0);
const place = fc.oneof(fc.constant({ g: 0, oh: noHash }), fc.record({ g: fc.integer({ min: 1 }), oh: hash }));
const base = fc
  .tuple(place, fc.oneof(fc.constant(''), id))
  .map(([{ g, oh }, epoch]): { epoch: string; g: number; oh: string } => ({ epoch, g, oh }));
const tags = fc.uniqueArray(name, { minLength: 1, maxLength: 5 }).map((list) => [...list].sort());
const data = fc.jsonValue().filter((value) => 'text' in toCanonicalJson(value));
const event = fc.record(
  { stream: name, type: name, version: fc.integer({ min: 1, max: 65_535 }), data, tags },
  { requiredKeys: ['stream', 'type', 'version', 'data'] },
);
const commit: fc.Arbitrary<SyncCommit> = fc.record(
  {
    logId: id,
    commandId: name,
    correlationId: name,
    causationId: name,
    recordedAt: time,
    client: id,
    clientSeq: fc.integer({ min: 1 }),
    prev: fc.oneof(hash, fc.constant(noHash)),
    events: fc.array(event, { minLength: 1, maxLength: 4 }),
  },
  { requiredKeys: ['logId', 'commandId', 'correlationId', 'recordedAt', 'client', 'clientSeq', 'prev', 'events'] },
);
const filter = fc.record(
  { stream: name, types: fc.array(name, { maxLength: 3 }), tags: fc.array(name, { maxLength: 3 }) },
  { requiredKeys: [] },
);
const guard = fc.record(
  {
    revisions: fc.array(fc.record({ stream: name, revision: fc.integer({ min: -1 }) }), { maxLength: 3 }),
    condition: fc.record({ failIfEventsMatch: fc.array(filter, { maxLength: 3 }), after: count }),
  },
  { requiredKeys: [] },
);
const range = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.nat(9))
  .map(([min, more]): readonly [number, number] => [min, min + more]);

const hello: fc.Arbitrary<HelloRequest> = fc.record({
  proto: range,
  app: fc.record({ name, version: count }),
  log: id,
  client: id,
  base,
  lastClientSeq: count,
});
const pull: fc.Arbitrary<PullRequest> = fc.record({
  log: id,
  base,
  limit: fc.integer({ min: 1 }),
  maxBytes: fc.integer({ min: 1 }),
});
const push: fc.Arbitrary<PushRequest> = fc.record(
  {
    log: id,
    base,
    client: id,
    commits: fc.array(fc.record({ commit, digest: hash, guard }, { requiredKeys: ['commit', 'digest'] }), {
      maxLength: 3,
    }),
    headSignature: fc.string({ minLength: 1, maxLength: 90 }).filter((text) => text.isWellFormed()),
    mode: fc.constantFrom('own', 'recover'),
  },
  { requiredKeys: ['log', 'base', 'client', 'commits', 'mode'] },
);
const common: fc.Arbitrary<CommonRequest> = fc.record({ log: id, points: fc.array(place, { maxLength: 20 }) });

const limit = fc.integer({ min: 1 });
const helloReply: fc.Arbitrary<HelloReply> = fc.record({
  proto: limit,
  epoch: id,
  head: place,
  clientLast: fc.option(fc.record({ seq: limit, id: name })),
  serverTime: count,
  limits: fc.record({
    bodyBytes: limit,
    pushCommits: limit,
    pushEvents: limit,
    eventBytes: limit,
    jsonDepth: limit,
    pageEvents: limit,
    pageBytes: limit,
  }),
  minApp: count,
});
const pullReply: fc.Arbitrary<PullReply> = fc
  .record({ base, list: fc.array(fc.record({ oh: hash, commit }), { maxLength: 4 }), more: fc.nat(9), oh: hash })
  .map(({ base: from, list, more, oh }) => {
    let { g } = from;
    const commits = list.map((item) => {
      g += item.commit.events.length;
      return { g, ...item };
    });
    return { base: from, commits, head: { g: g + more, oh } };
  });
const result = fc.oneof(
  fc.record({ type: fc.constantFrom('accepted' as const, 'duplicate' as const), g: limit }),
  fc.record({ type: fc.constant('rejected' as const), code: name, permanent: fc.boolean() }),
  fc.record({ type: fc.constant('retry' as const), after: count }),
  fc.record({ type: fc.constant('forked' as const), seq: limit }),
  fc.record({ type: fc.constant('gap' as const), expected: limit }),
  fc.record(
    { type: fc.constant('conflict' as const), stream: name, revision: fc.integer({ min: -1 }), g: limit },
    { requiredKeys: ['type', 'stream', 'revision'] },
  ),
);
const pushReply: fc.Arbitrary<PushReply> = fc.record({
  base,
  results: fc.array(fc.record({ commitId: name, result }), { maxLength: 5 }),
  head: place,
});
const poke: fc.Arbitrary<SyncPoke> = fc.record({ epoch: id, g: count });
const error: fc.Arbitrary<SyncError> = fc.record(
  {
    error: fc.constantFrom(...syncErrorCodes),
    text: name,
    path: fc.oneof(name, fc.constant('')),
    after: count,
    head: place,
    epoch: id,
    minApp: count,
    proto: range,
  },
  { requiredKeys: ['error', 'text'] },
);

const messages: Record<string, readonly [fc.Arbitrary<object>, (value: unknown) => Parsed<object>]> = {
  'a hello': [hello, parseHelloRequest],
  'a pull': [pull, parsePullRequest],
  'a push': [push, parsePushRequest],
  'a question for what is common': [common, parseCommonRequest],
  'the reply to a hello': [helloReply, parseHelloReply],
  'the reply to a pull': [pullReply, parsePullReply],
  'the reply to a push': [pushReply, parsePushReply],
  'the reply with what is common': [fc.record({ g: count }), parseCommonReply],
  'a poke': [poke, parseSyncPoke],
  'an error': [error, parseSyncError],
};

/** Every path through a plain value. */
function paths(value: unknown): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [[]];
  return [[], ...Object.entries(value).flatMap(([key, item]) => paths(item).map((path) => [key, ...path]))];
}

/** The value with something else at a path. */
function put(value: unknown, [key, ...rest]: readonly string[], other: unknown): unknown {
  if (key === undefined) return other;
  const copy = Array.isArray(value) ? [...value] : { ...(value as object) };
  (copy as Record<string, unknown>)[key] = put((copy as Record<string, unknown>)[key], rest, other);
  return copy;
}

describe.each(Object.entries(messages))('%s', (_name, [arbitrary, parse]) => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(arbitrary, (message) => {
        const parsed = parse(JSON.parse(JSON.stringify(message)));
        expect(parsed).toEqual({ ok: true, value: message });
        expect(parse(structuredClone(message))).toEqual({ ok: true, value: message });
      }),
    );
  });

  it('is never read from anything else, and nothing makes its reader throw', () => {
    fc.assert(fc.property(fc.anything(), (value) => !parse(value).ok || typeof value === 'object'));
  });

  it('is read or refused with a path, whatever is wrong with a part of it', () => {
    fc.assert(
      fc.property(arbitrary, fc.nat(), fc.oneof(fc.anything(), fc.jsonValue()), (message, at, other) => {
        const all = paths(message);
        const parsed = parse(put(message, all[at % all.length] ?? [], other));
        if (parsed.ok) return;
        expect(parsed.path).toBeTypeOf('string');
        expect(parsed.text.length).toBeGreaterThan(0);
      }),
    );
  });
});

describe('a request', () => {
  const requests = Object.entries(messages).slice(0, 4);

  it.each(requests)('%s with a field that nobody knows is refused', (_name, [arbitrary, parse]) => {
    fc.assert(
      fc.property(arbitrary, (message) => {
        const parsed = parse({ ...message, extra: 1 });
        expect(parsed).toEqual({ ok: false, path: 'extra', text: 'is not a field of this message' });
      }),
      { numRuns: 20 },
    );
    expect(parse(JSON.parse('{"__proto__":{"log":"a"}}'))).toMatchObject({ ok: false, path: '__proto__' });
  });

  it('is refused where it brings a text that no table can hold', () => {
    const hello = { proto: [1, 1], log: 'a', client: 'b', base: { epoch: '', g: 0, oh: noHash }, lastClientSeq: 0 };
    expect(parseHelloRequest({ ...hello, app: { name: 'bank', version: 1 } }).ok).toBe(true);
    expect(parseHelloRequest({ ...hello, app: { name: 'ba\0nk', version: 1 } })).toEqual({
      ok: false,
      path: 'app.name',
      text: 'is not a text of 1 to 256 characters without U+0000',
    });
  });

  it('names what is wrong', () => {
    const valid: PushRequest = {
      log: 'log-1',
      base: { epoch: '', g: 0, oh: noHash },
      client: 'client-1',
      commits: [
        {
          digest: 'ab'.repeat(32),
          commit: {
            logId: 'log-1',
            commandId: 'c1',
            correlationId: 'c1',
            recordedAt: 5,
            client: 'client-1',
            clientSeq: 1,
            prev: noHash,
            events: [{ stream: 'a-1', type: 'Counted', version: 1, data: {} }],
          },
        },
      ],
      mode: 'own',
    };
    const problem = (path: string, value: unknown) => {
      const parsed = parsePushRequest(put(valid, path.split('.'), value));
      return parsed.ok ? 'fine' : `${parsed.path} ${parsed.text}`;
    };
    expect(problem('mode', 'own')).toBe('fine');
    expect(problem('log', 'a b')).toBe('log is not an id: 1 to 128 letters, digits, ".", "_" or "-"');
    expect(problem('base.g', 2 ** 53)).toBe(`base.g is not a whole number from 0 to ${2 ** 53 - 1}`);
    expect(problem('base.g', 1)).toBe('base has zeros for a hash at 0, and nowhere else');
    expect(problem('mode', 'force')).toBe('mode is not one of own, recover');
    expect(problem('commits.0.digest', 'AB'.repeat(32))).toBe(
      'commits.0.digest is not a hash: 64 lower-case hexadecimal digits',
    );
    expect(problem('commits.0.commit.events', [])).toBe(
      'commits.0.commit.events has 0 items, and 1 to 1000000 are allowed',
    );
    expect(problem('commits.0.commit.events.0.type', '$System')).toBe(
      'commits.0.commit.events.0.type its event type starts with "$", which is reserved for the system',
    );
    expect(problem('commits.0.commit.events.0.data', { a: -0 })).toBe('commits.0.commit.events.0.data "a" is -0');
    expect(problem('commits.0.commit.events.0.data', 'x'.repeat(262_144))).toBe(
      'commits.0.commit.events.0.data is over 262144 bytes',
    );
    expect(problem('commits.0.commit.events.0.tags', ['b', 'a'])).toBe(
      'commits.0.commit.events.0.tags are not sorted, each once',
    );
    expect(problem('commits.0.commit.recordedAt', 1.5)).toBe(
      'commits.0.commit.recordedAt its time 1.5 is not a whole number of milliseconds',
    );
    // JSON can say this, and nothing can make a text of it.
    expect(problem('commits.0.commit.events.0.version', { toString: '' })).toBe(
      'commits.0.commit.events.0.version its version (an object) is not a whole number from 1 to 65,535',
    );
    expect(problem('commits', Array(257).fill(valid.commits[0]))).toBe(
      'commits has 257 items, and 0 to 256 are allowed',
    );
  });
});

describe('a reply', () => {
  it('may say more than is understood', () => {
    expect(parseCommonReply({ g: 1, more: true })).toEqual({ ok: true, value: { g: 1 } });
  });

  it('with commits that do not follow each other is refused', () => {
    fc.assert(
      fc.property(
        pullReply.filter(({ commits }) => commits.length > 1),
        (reply) => !parsePullReply({ ...reply, commits: reply.commits.slice(1) }).ok,
      ),
      { numRuns: 20 },
    );
  });
});
