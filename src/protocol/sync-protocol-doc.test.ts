import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { orderHash } from './commit-digest.ts';
import { bytesToHex, hexToBytes } from './hex.ts';
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
import { noHash, toCanonicalCommit } from './sync-commit.ts';
import { type PullReply, type PushReply, type PushRequest, type PushResult, syncErrorCodes } from './sync-messages.ts';

const doc = readFileSync(new URL('../../docs/reference/sync-protocol.md', import.meta.url), 'utf8');

function block(name: string): string {
  const text = doc.split(`\`\`\`${name}\n`)[1]?.split('\n```')[0];
  if (text === undefined) throw new Error(`The document has no block ${name}.`);
  return text;
}

const parsers: Record<string, (value: unknown) => Parsed<object>> = {
  hello: parseHelloRequest,
  'hello-reply': parseHelloReply,
  pull: parsePullRequest,
  'pull-reply': parsePullReply,
  push: parsePushRequest,
  'push-reply': parsePushReply,
  common: parseCommonRequest,
  'common-reply': parseCommonReply,
  error: parseSyncError,
};

describe('docs/reference/sync-protocol.md', () => {
  it.each(Object.entries(parsers))('has a %s as it is read', (name, parse) => {
    const message: unknown = JSON.parse(block(`json ${name}`));
    expect(parse(message)).toEqual({ ok: true, value: message });
  });

  it('has every kind of result as it is read', () => {
    const reply = JSON.parse(block('json push-reply')) as PushReply;
    const results = (JSON.parse(block('json results')) as PushResult[]).map((result) => ({ commitId: 'c1', result }));
    expect(parsePushReply({ ...reply, results })).toEqual({ ok: true, value: { ...reply, results } });
    const kinds = new Set(results.map(({ result }) => result.type));
    expect([...kinds].sort()).toEqual(['accepted', 'conflict', 'duplicate', 'forked', 'gap', 'rejected', 'retry']);
  });

  it('has a poke as it is read', () => {
    expect(parseSyncPoke(JSON.parse(/^data: (.*)$/m.exec(doc)?.[1] ?? '')).ok).toBe(true);
  });

  it('has the bytes, the digest and the order hash of its example', () => {
    const commit = JSON.parse(block('json commit'));
    const { text, digest } = toCanonicalCommit(commit);
    expect(block('canonical')).toBe(text);
    expect(doc).toContain(`these ${new TextEncoder().encode(text).length} bytes`);
    // From the words of the document, not by the code that it describes.
    expect(createHash('sha256').update(`varve/commit/1\0${text}`).digest('hex')).toBe(block('digest'));
    expect(digest).toBe(block('digest'));
    expect(bytesToHex(orderHash(hexToBytes(noHash), hexToBytes(digest), 2))).toBe(block('order'));
    const pushed = JSON.parse(block('json push')) as PushRequest;
    const pulled = JSON.parse(block('json pull-reply')) as PullReply;
    expect(pushed.commits[0]).toMatchObject({ commit, digest });
    expect(pulled.commits).toEqual([{ g: 2, oh: block('order'), commit }]);
  });

  it('names every error', () => {
    expect(syncErrorCodes.filter((code) => !doc.includes(`| \`${code}\` |`))).toEqual([]);
  });
});
