import type { EventFilter } from '../core/event-query.ts';
import {
  at,
  type Parsed,
  parseWith,
  Refusal,
  readArray,
  readHash,
  readId,
  readInteger,
  readOneOf,
  readStoredText,
  readStrict,
  readText,
} from './parse.ts';
import { noHash, readName, readSyncCommit } from './sync-commit.ts';
import type {
  CommonRequest,
  HelloRequest,
  PullRequest,
  PushedCommit,
  PushRequest,
  StreamRevision,
  SyncBase,
  SyncGuard,
  SyncPlace,
} from './sync-messages.ts';

/** Commits of one push at most, whatever a server's own limit is. */
export const maxPushCommits = 256;
/** The last 8 places, then one for each doubling: a log of 2^53 events needs 62. */
const maxPoints = 128;
/** An import touches thousands; the limit of the body is the narrower one. */
const maxGuardStreams = 65_536;
const maxFilters = 64;
const maxFilterTypes = 256;

export function parseHelloRequest(value: unknown): Parsed<HelloRequest> {
  return parseWith(readHello, value);
}

export function parsePullRequest(value: unknown): Parsed<PullRequest> {
  return parseWith(readPull, value);
}

export function parsePushRequest(value: unknown): Parsed<PushRequest> {
  return parseWith(readPush, value);
}

export function parseCommonRequest(value: unknown): Parsed<CommonRequest> {
  return parseWith(readCommon, value);
}

function readHello(value: unknown, path: string): HelloRequest {
  const fields = readStrict(value, path, ['proto', 'app', 'log', 'client', 'base', 'lastClientSeq']);
  const proto = readArray(fields.proto, 'proto', { min: 2, max: 2 }, (item, itemPath) =>
    readInteger(item, itemPath, 1),
  );
  const [min = 1, max = 1] = proto;
  if (min > max) throw new Refusal('proto', 'ends before it begins');
  const app = readStrict(fields.app, 'app', ['name', 'version']);
  return {
    proto: [min, max],
    app: { name: readStoredText(app.name, 'app.name', 256), version: readInteger(app.version, 'app.version') },
    log: readId(fields.log, 'log'),
    client: readId(fields.client, 'client'),
    base: readBase(fields.base, 'base'),
    lastClientSeq: readInteger(fields.lastClientSeq, 'lastClientSeq'),
  };
}

function readPull(value: unknown, path: string): PullRequest {
  const fields = readStrict(value, path, ['log', 'base', 'limit', 'maxBytes']);
  return {
    log: readId(fields.log, 'log'),
    base: readBase(fields.base, 'base'),
    limit: readInteger(fields.limit, 'limit', 1),
    maxBytes: readInteger(fields.maxBytes, 'maxBytes', 1),
  };
}

function readPush(value: unknown, path: string): PushRequest {
  const fields = readStrict(value, path, ['log', 'base', 'client', 'commits', 'headSignature', 'mode']);
  const { headSignature } = fields;
  return {
    log: readId(fields.log, 'log'),
    base: readBase(fields.base, 'base'),
    client: readId(fields.client, 'client'),
    commits: readArray(fields.commits, 'commits', { max: maxPushCommits }, readPushedCommit),
    ...(headSignature === undefined ? {} : { headSignature: readText(headSignature, 'headSignature', 1_024) }),
    mode: readOneOf(fields.mode, 'mode', ['own', 'recover']),
  };
}

function readCommon(value: unknown, path: string): CommonRequest {
  const { log, points } = readStrict(value, path, ['log', 'points']);
  return { log: readId(log, 'log'), points: readArray(points, 'points', { max: maxPoints }, readPlace) };
}

function readPushedCommit(value: unknown, path: string): PushedCommit {
  const { commit, digest, guard } = readStrict(value, path, ['commit', 'digest', 'guard']);
  return {
    commit: readSyncCommit(commit, at(path, 'commit')),
    digest: readHash(digest, at(path, 'digest')),
    ...(guard === undefined ? {} : { guard: readGuard(guard, at(path, 'guard')) }),
  };
}

function readGuard(value: unknown, path: string): SyncGuard {
  const { revisions, condition } = readStrict(value, path, ['revisions', 'condition']);
  return {
    ...(revisions === undefined
      ? {}
      : { revisions: readArray(revisions, at(path, 'revisions'), { max: maxGuardStreams }, readRevision) }),
    ...(condition === undefined ? {} : { condition: readCondition(condition, at(path, 'condition')) }),
  };
}

function readRevision(value: unknown, path: string): StreamRevision {
  const { stream, revision } = readStrict(value, path, ['stream', 'revision']);
  return {
    stream: readName('stream id', stream, at(path, 'stream')),
    revision: readInteger(revision, at(path, 'revision'), -1),
  };
}

function readCondition(value: unknown, path: string): NonNullable<SyncGuard['condition']> {
  const { failIfEventsMatch, after } = readStrict(value, path, ['failIfEventsMatch', 'after']);
  return {
    failIfEventsMatch: readArray(failIfEventsMatch, at(path, 'failIfEventsMatch'), { max: maxFilters }, readFilter),
    after: readInteger(after, at(path, 'after')),
  };
}

function readFilter(value: unknown, path: string): EventFilter {
  const { stream, types, tags } = readStrict(value, path, ['stream', 'types', 'tags']);
  const names = (kind: 'event type' | 'tag', list: unknown, listPath: string, max: number) =>
    readArray(list, listPath, { max }, (name, namePath) => readName(kind, name, namePath));
  return {
    ...(stream === undefined ? {} : { stream: readName('stream id', stream, at(path, 'stream')) }),
    ...(types === undefined ? {} : { types: names('event type', types, at(path, 'types'), maxFilterTypes) }),
    ...(tags === undefined ? {} : { tags: names('tag', tags, at(path, 'tags'), 32) }),
  };
}

function readBase(value: unknown, path: string): SyncBase {
  const { epoch, g, oh } = readStrict(value, path, ['epoch', 'g', 'oh']);
  return {
    epoch: epoch === '' ? '' : readId(epoch, at(path, 'epoch')),
    ...readPlace({ g, oh }, path),
  };
}

function readPlace(value: unknown, path: string): SyncPlace {
  const fields = readStrict(value, path, ['g', 'oh']);
  const place = { g: readInteger(fields.g, at(path, 'g')), oh: readHash(fields.oh, at(path, 'oh')) };
  if ((place.g === 0) !== (place.oh === noHash)) throw new Refusal(path, 'has zeros for a hash at 0, and nowhere else');
  return place;
}
