import {
  at,
  type Parsed,
  parseWith,
  Refusal,
  readArray,
  readHash,
  readId,
  readInteger,
  readObject,
  readOneOf,
  readText,
} from './parse.ts';
import { readName, readSyncCommit } from './sync-commit.ts';
import {
  type CommonReply,
  type HelloReply,
  type PulledCommit,
  type PullReply,
  type PushReply,
  type PushResult,
  type SyncBase,
  type SyncError,
  type SyncLimits,
  type SyncPlace,
  type SyncPoke,
  syncErrorCodes,
} from './sync-messages.ts';

/** More than a server gives, and little enough to hold. */
export const maxPageCommits = 100_000;
const maxResults = 256;

export function parseHelloReply(value: unknown): Parsed<HelloReply> {
  return parseWith(readHello, value);
}

export function parsePullReply(value: unknown): Parsed<PullReply> {
  return parseWith(readPull, value);
}

export function parsePushReply(value: unknown): Parsed<PushReply> {
  return parseWith(readPush, value);
}

export function parseCommonReply(value: unknown): Parsed<CommonReply> {
  return parseWith((reply, path) => ({ g: readInteger(readObject(reply, path).g, at(path, 'g')) }), value);
}

export function parseSyncPoke(value: unknown): Parsed<SyncPoke> {
  return parseWith((poke, path) => {
    const { epoch, g } = readObject(poke, path);
    return { epoch: readId(epoch, at(path, 'epoch')), g: readInteger(g, at(path, 'g')) };
  }, value);
}

export function parseSyncError(value: unknown): Parsed<SyncError> {
  return parseWith(readError, value);
}

function readHello(value: unknown, path: string): HelloReply {
  const fields = readObject(value, path);
  return {
    proto: readInteger(fields.proto, 'proto', 1),
    epoch: readId(fields.epoch, 'epoch'),
    head: readPlace(fields.head, 'head'),
    clientLast: fields.clientLast === null ? null : readClientLast(fields.clientLast, 'clientLast'),
    serverTime: readInteger(fields.serverTime, 'serverTime'),
    limits: readLimits(fields.limits, 'limits'),
    minApp: readInteger(fields.minApp, 'minApp'),
  };
}

function readClientLast(value: unknown, path: string): { readonly seq: number; readonly id: string } {
  const { seq, id } = readObject(value, path);
  return { seq: readInteger(seq, at(path, 'seq'), 1), id: readName('command id', id, at(path, 'id')) };
}

function readLimits(value: unknown, path: string): SyncLimits {
  const fields = readObject(value, path);
  const read = (name: keyof SyncLimits) => readInteger(fields[name], at(path, name), 1);
  return {
    bodyBytes: read('bodyBytes'),
    pushCommits: read('pushCommits'),
    pushEvents: read('pushEvents'),
    eventBytes: read('eventBytes'),
    jsonDepth: read('jsonDepth'),
    pageEvents: read('pageEvents'),
    pageBytes: read('pageBytes'),
  };
}

function readPull(value: unknown, path: string): PullReply {
  const { base, commits, head } = readObject(value, path);
  const reply = {
    base: readBase(base, 'base'),
    commits: readArray(commits, 'commits', { max: maxPageCommits }, readPulledCommit),
    head: readPlace(head, 'head'),
  };
  let { g } = reply.base;
  for (const [index, pulled] of reply.commits.entries()) {
    g += pulled.commit.events.length;
    if (pulled.g !== g) throw new Refusal(`commits.${index}.g`, `does not follow: ${g} was next`);
  }
  if (reply.head.g < g) throw new Refusal('head.g', 'is before the last commit');
  return reply;
}

function readPulledCommit(value: unknown, path: string): PulledCommit {
  const fields = readObject(value, path);
  return { ...readPlace(fields, path), commit: readSyncCommit(fields.commit, at(path, 'commit')) };
}

function readPush(value: unknown, path: string): PushReply {
  const { base, results, head } = readObject(value, path);
  return {
    base: readBase(base, 'base'),
    results: readArray(results, 'results', { max: maxResults }, (item, itemPath) => {
      const { commitId, result } = readObject(item, itemPath);
      return {
        commitId: readName('command id', commitId, at(itemPath, 'commitId')),
        result: readResult(result, at(itemPath, 'result')),
      };
    }),
    head: readPlace(head, 'head'),
  };
}

function readResult(value: unknown, path: string): PushResult {
  const fields = readObject(value, path);
  const number = (name: string, min = 0) => readInteger(fields[name], at(path, name), min);
  const types = ['accepted', 'duplicate', 'rejected', 'retry', 'forked', 'gap', 'conflict'] as const;
  const type = readOneOf(fields.type, at(path, 'type'), types);
  switch (type) {
    case 'accepted':
    case 'duplicate':
      return { type, g: number('g', 1) };
    case 'rejected':
      if (typeof fields.permanent !== 'boolean') throw new Refusal(at(path, 'permanent'), 'is not true or false');
      return { type, code: readText(fields.code, at(path, 'code'), 256), permanent: fields.permanent };
    case 'retry':
      return { type, after: number('after') };
    case 'forked':
      return { type, seq: number('seq', 1) };
    case 'gap':
      return { type, expected: number('expected', 1) };
    case 'conflict':
      return {
        type,
        stream: readName('stream id', fields.stream, at(path, 'stream')),
        revision: number('revision', -1),
        ...(fields.g === undefined ? {} : { g: number('g', 1) }),
      };
  }
}

function readError(value: unknown, path: string): SyncError {
  const fields = readObject(value, path);
  const { text, path: where, after, head, epoch, minApp, proto } = fields;
  const optional = <Name extends string, Value>(name: Name, field: unknown, read: () => Value) =>
    (field === undefined ? {} : { [name]: read() }) as { readonly [key in Name]?: Value };
  return {
    error: readOneOf(fields.error, at(path, 'error'), syncErrorCodes),
    text: readText(text, at(path, 'text'), 4_096),
    ...optional('path', where, () => (where === '' ? '' : readText(where, at(path, 'path'), 1_024))),
    ...optional('after', after, () => readInteger(after, at(path, 'after'))),
    ...optional('head', head, () => readPlace(head, at(path, 'head'))),
    ...optional('epoch', epoch, () => readId(epoch, at(path, 'epoch'))),
    ...optional('minApp', minApp, () => readInteger(minApp, at(path, 'minApp'))),
    ...optional('proto', proto, () => readRange(proto, at(path, 'proto'))),
  };
}

function readRange(value: unknown, path: string): readonly [min: number, max: number] {
  const [min = 1, max = 1] = readArray(value, path, { min: 2, max: 2 }, (item, itemPath) =>
    readInteger(item, itemPath, 1),
  );
  return [min, max];
}

function readBase(value: unknown, path: string): SyncBase {
  const { epoch } = readObject(value, path);
  return { epoch: epoch === '' ? '' : readId(epoch, at(path, 'epoch')), ...readPlace(value, path) };
}

function readPlace(value: unknown, path: string): SyncPlace {
  const { g, oh } = readObject(value, path);
  return { g: readInteger(g, at(path, 'g')), oh: readHash(oh, at(path, 'oh')) };
}
