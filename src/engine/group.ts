import type { App } from '../core/app.ts';
import type { Command } from '../core/command.ts';
import type { Env } from '../core/env.ts';
import type { EventFilter } from '../core/event-query.ts';
import type { EventSet, NewEvent, RecordedEvent } from '../core/events.ts';
import { toStoredForm } from '../core/json.ts';
import type { Receipt } from '../core/receipt.ts';
import type { Rejection } from '../core/rejection.ts';
import { toStreamId } from '../core/stream-id.ts';
import type { LogTransaction, StreamEvent } from '../log/event-log.ts';
import type { ExecuteRequest } from '../protocol/engine-api.ts';
import type { StreamCache, StreamState } from './stream-cache.ts';

/** Requests that share a transaction, and what came of them so far. */
export interface Group {
  readonly transaction: LogTransaction;
  readonly appended: RecordedEvent[];
  /** Events of each request of this group, by command id: the same id twice in a group is one command. */
  readonly committed: Map<string, readonly RecordedEvent[]>;
  /** States as they were loaded, and after what was appended so far. */
  readonly states: Map<string, StreamState>;
  readonly cache: StreamCache;
  readonly env: Env;
  /** With sync: what is kept beside a commit, so that it can be decided again. */
  readonly toNote: ToNote | undefined;
  /** Ids that the request at hand has drawn. */
  readonly drawn: string[];
  /** Called once what was appended is stored. */
  readonly afterCommit: (() => void)[];
  readRevisions(streams: readonly string[]): Promise<readonly number[]>;
}

/** What a commit was decided on. Of aggregates and decisions whose commits are kept whatever comes, nothing. */
export interface DecidedOn {
  /** Of each stream: its revision before the commit. */
  readonly revisions: { readonly [stream: string]: number };
  /** What the views of a decision read. */
  readonly filters: readonly EventFilter[];
}

export type ToNote = (request: ExecuteRequest, decidedOn: DecidedOn, drawn: readonly string[]) => unknown;

export function createGroup(
  transaction: LogTransaction,
  cache: StreamCache,
  env: Env,
  toNote: ToNote | undefined,
): Group {
  const drawn: string[] = [];
  return {
    transaction,
    cache,
    env: {
      ...env,
      newId: () => {
        const id = env.newId();
        drawn.push(id);
        return id;
      },
    },
    toNote,
    drawn,
    appended: [],
    committed: new Map(),
    states: new Map(),
    afterCommit: [],
    readRevisions: (streams) => transaction.revisions([...new Set(streams)]),
  };
}

export async function appendEvents(
  request: ExecuteRequest,
  events: readonly StreamEvent[],
  recordedAt: number,
  decidedOn: DecidedOn,
  group: Group,
): Promise<readonly RecordedEvent[]> {
  const { commandId, correlationId = commandId, causationId } = request;
  const lineage = { correlationId, ...(causationId === undefined ? {} : { causationId }) };
  const note = group.toNote?.(request, decidedOn, [...group.drawn]);
  const recorded = await group.transaction.append({ commandId, ...lineage, recordedAt, events, note });
  // One by one: an import is a commit of more events than a call takes arguments (V8: about 120,000).
  for (const event of recorded) group.appended.push(event);
  group.committed.set(commandId, recorded);
  return recorded;
}

/** The event as it is appended, with the version of its type; `evolve` sees no other payload than in every replay. */
export function toStreamEvent(
  { type, data, tags }: NewEvent,
  stream: string,
  declared: EventSet,
  who: string,
): StreamEvent {
  const definition = Object.hasOwn(declared, type) ? declared[type] : undefined;
  if (definition === undefined) {
    throw new Error(`${who} decided an event "${type}", which it does not declare. Add it to its events.`);
  }
  const stored = toStoredForm(data);
  return { type, data: stored, stream, version: definition.version, ...(tags === undefined ? {} : { tags }) };
}

/** `stream` is that of the first command, or of the decision. */
export async function toReceipt(
  request: ExecuteRequest,
  events: readonly RecordedEvent[],
  group: Group,
  stream: string = request.commands[0] === undefined ? (events[0]?.stream ?? '') : streamOf(request.commands[0]),
): Promise<Receipt> {
  const [current = -1] = stream === '' ? [] : await group.transaction.revisions([stream]);
  return {
    status: 'saved',
    commandId: request.commandId,
    stream,
    revision: events.findLast((event) => event.stream === stream)?.revision ?? current,
    position: events.at(-1)?.position ?? group.transaction.head,
    events: events.length,
  };
}

export function isRejection(decision: object): decision is Rejection {
  return 'kind' in decision && decision.kind === 'rejection';
}

export function streamOf({ aggregate, id }: Command): string {
  return toStreamId(aggregate, id);
}

/** For a decision that the app does not have. */
export function noDecision(app: App, name: string): string {
  return `The app "${app.name}" has no decision "${name}". Add it to defineApp, or reload the page if it was built at another time than the worker.`;
}
