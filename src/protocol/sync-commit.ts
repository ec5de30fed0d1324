import { toCanonicalJson } from '../core/json.ts';
import {
  hardMaxEventBytes,
  isLargerThan,
  maxTags,
  type NameKind,
  nameProblem,
  sortTags,
  textProblem,
  timeProblem,
  versionProblem,
} from './commit-checks.ts';
import { commitDigest, commitText } from './commit-digest.ts';
import { bytesToHex, hexToBytes } from './hex.ts';
import { at, Refusal, readArray, readHash, readId, readInteger, readStrict } from './parse.ts';

/** A commit as it travels: exactly the fields that its digest covers. */
export interface SyncCommit {
  readonly logId: string;
  readonly commandId: string;
  readonly correlationId: string;
  readonly causationId?: string;
  readonly recordedAt: number;
  /** Who wrote it, and the how manieth of that client it is, from 1. */
  readonly client: string;
  readonly clientSeq: number;
  /** Digest of that client's commit before; 64 zeros before the first. */
  readonly prev: string;
  readonly events: readonly SyncEvent[];
}

export interface SyncEvent {
  readonly stream: string;
  readonly type: string;
  readonly version: number;
  readonly data: unknown;
  /** Sorted, each once; absent where there are none. */
  readonly tags?: readonly string[];
}

/** Hash before the first commit, of both chains. */
export const noHash: string = '0'.repeat(64);

/** The bytes that a commit's digest covers, as text, and the digest. */
export function toCanonicalCommit(commit: SyncCommit): { readonly text: string; readonly digest: string } {
  const payloads = commit.events.map(({ data }) => {
    const canonical = toCanonicalJson(data);
    if ('problem' in canonical) throw new Error(`A payload cannot be written as JSON: ${canonical.problem}.`);
    return canonical.text;
  });
  const text = commitText(commit.logId, commit, commit.events, payloads, hexToBytes(commit.prev));
  return { text, digest: bytesToHex(commitDigest(text)) };
}

/** Refuses what no log can hold, so that a commit that was read can be stored, hashed and sent on unchanged. */
export function readSyncCommit(value: unknown, path: string): SyncCommit {
  const fields = readStrict(value, path, commitFields);
  const { causationId, recordedAt } = fields;
  refuseIf(timeProblem(recordedAt), at(path, 'recordedAt'));
  return {
    logId: readId(fields.logId, at(path, 'logId')),
    commandId: readName('command id', fields.commandId, at(path, 'commandId')),
    correlationId: readLineage('correlation id', fields.correlationId, at(path, 'correlationId')),
    ...(causationId === undefined
      ? {}
      : { causationId: readLineage('causation id', causationId, at(path, 'causationId')) }),
    recordedAt: readInteger(recordedAt, at(path, 'recordedAt'), Number.MIN_SAFE_INTEGER),
    client: readId(fields.client, at(path, 'client')),
    clientSeq: readInteger(fields.clientSeq, at(path, 'clientSeq'), 1),
    prev: readHash(fields.prev, at(path, 'prev')),
    events: readArray(fields.events, at(path, 'events'), { min: 1, max: maxCommitEvents }, readSyncEvent),
  };
}

/** Far above what a server takes: it says so commit by commit, and the others of the push go on. */
export const maxCommitEvents = 1_000_000;

const commitFields = [
  'causationId',
  'client',
  'clientSeq',
  'commandId',
  'correlationId',
  'events',
  'logId',
  'prev',
  'recordedAt',
];

function readSyncEvent(value: unknown, path: string): SyncEvent {
  const { stream, type, version, data, tags } = readStrict(value, path, ['data', 'stream', 'tags', 'type', 'version']);
  refuseIf(versionProblem(version), at(path, 'version'));
  return {
    stream: readName('stream id', stream, at(path, 'stream')),
    type: readName('event type', type, at(path, 'type')),
    version: readInteger(version, at(path, 'version'), 1),
    data: readPayload(data, at(path, 'data')),
    ...(tags === undefined ? {} : { tags: readTags(tags, at(path, 'tags')) }),
  };
}

function readPayload(data: unknown, path: string): unknown {
  const canonical = toCanonicalJson(data);
  if ('problem' in canonical) throw new Refusal(path, canonical.problem);
  if (isLargerThan(canonical.text, hardMaxEventBytes)) throw new Refusal(path, `is over ${hardMaxEventBytes} bytes`);
  return canonical.data;
}

function readTags(value: unknown, path: string): readonly string[] {
  const tags = readArray(value, path, { min: 1, max: maxTags }, (tag, tagPath) => readName('tag', tag, tagPath));
  if (sortTags(tags).join('\0') !== tags.join('\0')) throw new Refusal(path, 'are not sorted, each once');
  return tags;
}

/** A name that an app gave. */
export function readName(kind: NameKind, value: unknown, path: string): string {
  refuseIf(nameProblem(kind, value), path);
  return String(value);
}

function readLineage(kind: NameKind, value: unknown, path: string): string {
  refuseIf(textProblem(kind, value), path);
  return String(value);
}

function refuseIf(problem: string | undefined, path: string): void {
  if (problem !== undefined) throw new Refusal(path, problem);
}
