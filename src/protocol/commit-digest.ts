import type { RecordedEvent } from '../core/events.ts';
import { bytesToHex } from './hex.ts';
import { sha256 } from './sha256.ts';

/**
 * The two chains of a log.
 *
 * - The **author chain** says who wrote a commit after what: its digest is SHA-256 over the domain tag
 *   `varve/commit/1` and a zero byte, followed by the UTF-8 bytes of the commit's canonical JSON (RFC 8785), which names
 *   the log, the client, its running number, and `prev`, the digest of that client's commit before. It holds no
 *   position and no revision: sync may move a commit, and never rewrites one.
 * - The **order chain** says where it stands: SHA-256 over `varve/order/1` and a zero byte, the order hash of the commit
 *   before (32 bytes), the digest of this one (32 bytes), and the position of its last event (8 bytes, big-endian).
 *
 * Both start from 32 zero bytes. Synchronous SHA-256, for they are computed inside an IndexedDB transaction, which ends
 * in Firefox where WebCrypto is awaited.
 */
export interface ChainEnd {
  /** Digest of the author's last commit, 32 bytes. */
  readonly digest: Uint8Array;
  /** Order hash of the last commit, 32 bytes. */
  readonly order: Uint8Array;
}

/** What a digest covers besides the events. */
export interface CommitHead {
  readonly commandId: string;
  readonly correlationId: string;
  readonly causationId?: string | undefined;
  readonly recordedAt: number;
  readonly client: string;
  readonly clientSeq: number;
}

export const chainStart: ChainEnd = Object.freeze({ digest: new Uint8Array(32), order: new Uint8Array(32) });

/** Links a commit to the end of both chains. `payloads` are the canonical texts of the events' data. */
export function linkCommit(
  logId: string,
  head: CommitHead,
  events: readonly Pick<RecordedEvent, 'stream' | 'type' | 'version' | 'tags' | 'position'>[],
  payloads: readonly string[],
  end: ChainEnd,
): ChainEnd {
  const digest = commitDigest(commitText(logId, head, events, payloads, end.digest));
  return { digest, order: orderHash(end.order, digest, events.at(-1)?.position ?? 0) };
}

/** The digest of a commit's canonical text. */
export function commitDigest(text: string): Uint8Array {
  // A UTF-16 unit takes three bytes at most.
  if (commitTag.length + 3 * text.length > bytes.length) return sha256(encoder.encode(`varve/commit/1\0${text}`));
  const { written } = encoder.encodeInto(text, bytes.subarray(commitTag.length));
  return sha256(bytes.subarray(0, commitTag.length + written));
}

/** Canonical by construction: the keys stand in order, and the payloads are canonical already. */
export function commitText(
  logId: string,
  { commandId, correlationId, causationId, recordedAt, client, clientSeq }: CommitHead,
  events: readonly Pick<RecordedEvent, 'stream' | 'type' | 'version' | 'tags'>[],
  payloads: readonly string[],
  prev: Uint8Array,
): string {
  const cause = causationId === undefined ? '' : `"causationId":${JSON.stringify(causationId)},`;
  let list = '';
  for (let index = 0; index < events.length; index += 1) {
    const { stream, type, version, tags } = events[index] as RecordedEvent;
    const tagText = tags === undefined ? '' : `,"tags":${JSON.stringify(tags)}`;
    list += `${index === 0 ? '' : ','}{"data":${payloads[index]},"stream":${JSON.stringify(stream)}${tagText},"type":${JSON.stringify(type)},"version":${version}}`;
  }
  return (
    `{${cause}"client":${JSON.stringify(client)},"clientSeq":${clientSeq},"commandId":${JSON.stringify(commandId)},` +
    `"correlationId":${JSON.stringify(correlationId)},"events":[${list}],"logId":${JSON.stringify(logId)},` +
    `"prev":"${bytesToHex(prev)}","recordedAt":${recordedAt}}`
  );
}

export function orderHash(before: Uint8Array, digest: Uint8Array, position: number): Uint8Array {
  const at = orderTag.length;
  link.set(before, at);
  link.set(digest, at + 32);
  linkView.setUint32(at + 64, Math.floor(position / 2 ** 32));
  linkView.setUint32(at + 68, position >>> 0);
  return sha256(link);
}

const encoder = new TextEncoder();
const commitTag = encoder.encode('varve/commit/1\0');
const orderTag = encoder.encode('varve/order/1\0');

// What is hashed is put together in the same place every time: a new one for each commit costs as much as its hash.
const bytes = new Uint8Array(16_384);
bytes.set(commitTag);
const link = new Uint8Array(orderTag.length + 72);
link.set(orderTag);
const linkView = new DataView(link.buffer);
