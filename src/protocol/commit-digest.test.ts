import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type CommitHead, chainStart, commitText, linkCommit, orderHash } from './commit-digest.ts';

const head: CommitHead = {
  commandId: 'c1',
  correlationId: 'root',
  causationId: 'c0.0',
  recordedAt: 1_700_000_000_000,
  client: 'client-1',
  clientSeq: 1,
};
const events = [
  { stream: 'order-1', type: 'Placed', version: 2, tags: ['a', 'ž'], position: 1 },
  { stream: 'order-"2"', type: 'Paid', version: 1, position: 2 },
];
const payloads = ['{"sum":1.5,"to":"€"}', 'null'];

// Written by hand from the comment in commit-digest.ts, not from its code.
const firstText =
  '{"causationId":"c0.0","client":"client-1","clientSeq":1,"commandId":"c1","correlationId":"root","events":[' +
  '{"data":{"sum":1.5,"to":"€"},"stream":"order-1","tags":["a","ž"],"type":"Placed","version":2},' +
  '{"data":null,"stream":"order-\\"2\\"","type":"Paid","version":1}' +
  '],"logId":"log-1","prev":"0000000000000000000000000000000000000000000000000000000000000000","recordedAt":1700000000000}';

function sha256(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** Eight bytes, the highest first. */
function bigEndian(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

describe('linkCommit', () => {
  it('hashes the canonical text for the author, and the place for the order', () => {
    expect(commitText('log-1', head, events, payloads, chainStart.digest)).toBe(firstText);
    const end = linkCommit('log-1', head, events, payloads, chainStart);
    const digest = sha256('varve/commit/1\0', firstText);
    expect(hex(end.digest)).toBe(digest);
    expect(hex(end.order)).toBe(
      sha256('varve/order/1\0', new Uint8Array(32), Buffer.from(digest, 'hex'), bigEndian(2)),
    );
  });

  it('links to the commit before, in both chains', () => {
    const first = linkCommit('log-1', head, events, payloads, chainStart);
    const second = { ...head, commandId: 'c2', causationId: undefined, clientSeq: 2 };
    const third = [{ stream: 's', type: 'T', version: 1, position: 3 }];
    const end = linkCommit('log-1', second, third, ['{}'], first);
    const digest = sha256(
      'varve/commit/1\0{"client":"client-1","clientSeq":2,"commandId":"c2","correlationId":"root","events":[' +
        '{"data":{},"stream":"s","type":"T","version":1}],"logId":"log-1",' +
        `"prev":"${hex(first.digest)}","recordedAt":1700000000000}`,
    );
    expect(hex(end.digest)).toBe(digest);
    expect(hex(end.order)).toBe(sha256('varve/order/1\0', first.order, Buffer.from(digest, 'hex'), bigEndian(3)));
  });

  it('never changes: logs are read for decades', () => {
    const end = linkCommit('log-1', head, events, payloads, chainStart);
    expect(hex(end.digest)).toBe('d1d6c7b708cefcd7c340aa4b14ec8ab527d0265ebba5ed243e4d2a634fca68f8');
    expect(hex(end.order)).toBe('0d2de7ab0dc3006186dbc5d4ba4adbace66b83087578e637fd8cfeca352acfd0');
  });

  it('writes what RFC 8785 writes', () => {
    // Keys sorted at every level, so that parsing and writing it again gives the same text.
    const sorted = (value: unknown): unknown =>
      typeof value !== 'object' || value === null
        ? value
        : Array.isArray(value)
          ? value.map(sorted)
          : Object.fromEntries(
              Object.entries(value)
                .sort(([a], [b]) => (a < b ? -1 : 1))
                .map(([key, item]) => [key, sorted(item)]),
            );
    const text = commitText('log-1', head, events, payloads, chainStart.digest);
    expect(JSON.stringify(sorted(JSON.parse(text)))).toBe(text);
  });

  it('starts from 32 zero bytes', () => {
    expect(hex(chainStart.digest)).toBe('00'.repeat(32));
    expect(hex(chainStart.order)).toBe('00'.repeat(32));
  });
});

describe('a digest', () => {
  const link = (change: {
    logId?: string;
    head?: Partial<CommitHead>;
    event?: Partial<(typeof events)[number]>;
    payloads?: string[];
    end?: typeof chainStart;
  }) =>
    linkCommit(
      change.logId ?? 'log-1',
      { ...head, ...change.head },
      events.map((event, index) => (index === 1 ? { ...event, ...change.event } : event)),
      change.payloads ?? payloads,
      change.end ?? chainStart,
    );
  const before = link({});
  const other = new Uint8Array(32).fill(1);

  const covered: Record<string, Parameters<typeof link>[0]> = {
    'the log': { logId: 'log-2' },
    'the command id': { head: { commandId: 'c2' } },
    'the correlation id': { head: { correlationId: 'c1' } },
    'the causation id': { head: { causationId: 'c0.1' } },
    'an absent causation id': { head: { causationId: undefined } },
    'the time': { head: { recordedAt: head.recordedAt + 1 } },
    'the client': { head: { client: 'client-2' } },
    'the client’s running number': { head: { clientSeq: 2 } },
    'the stream': { event: { stream: 'order-2' } },
    'the type': { event: { type: 'Payed' } },
    'the version': { event: { version: 2 } },
    'the tags': { event: { tags: ['a'] } },
    'a payload': { payloads: [payloads[0] ?? '', '0'] },
    'the order of payloads': { payloads: [...payloads].reverse() },
    'the author’s commit before': { end: { ...chainStart, digest: other } },
  };

  it.each(Object.entries(covered))('covers %s', (_field, change) => {
    const after = link(change);
    expect(hex(after.digest)).not.toBe(hex(before.digest));
    expect(hex(after.order)).not.toBe(hex(before.order));
  });

  it('covers the number and the order of the events', () => {
    const orders = [events, [...events].reverse(), events.slice(0, 1)];
    const digests = orders.map((list) =>
      hex(linkCommit('log-1', head, list, ['null', 'null'].slice(0, list.length), chainStart).digest),
    );
    expect(new Set(digests).size).toBe(3);
  });

  it('leaves out the position, which the order hash covers: sync may move a commit', () => {
    const moved = link({ event: { position: 3 } });
    expect(hex(moved.digest)).toBe(hex(before.digest));
    expect(hex(moved.order)).not.toBe(hex(before.order));
    expect(hex(link({ end: { ...chainStart, order: other } }).order)).not.toBe(hex(before.order));
  });
});

describe('orderHash', () => {
  it.each([1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 40 + 5, Number.MAX_SAFE_INTEGER])(
    'writes the position %s in eight bytes',
    (position) => {
      const [order, digest] = [new Uint8Array(32).fill(7), new Uint8Array(32).fill(9)];
      expect(hex(orderHash(order, digest, position))).toBe(
        sha256('varve/order/1\0', order, digest, bigEndian(position)),
      );
    },
  );
});
