import type { App } from '../core/app.ts';
import type { Env } from '../core/env.ts';
import { type Failure, FailureError, isExpectedRevision } from '../core/errors.ts';
import type { RecordedEvent } from '../core/events.ts';
import type { Failed, Receipt, Saved } from '../core/receipt.ts';
import { type InvalidInput, reject } from '../core/rejection.ts';
import type { EventLog, StreamEvent } from '../log/event-log.ts';
import { recordEvent, toMeta } from '../log/record-commit.ts';
import { sortTags } from '../protocol/commit-checks.ts';
import type { ExecuteRequest } from '../protocol/engine-api.ts';
import type { Outcome } from './command-queue.ts';
import type { DecideAcross } from './decide-across.ts';
import {
  appendEvents,
  createGroup,
  type Group,
  isRejection,
  noDecision,
  streamOf,
  type ToNote,
  toReceipt,
  toStreamEvent,
} from './group.ts';
import { runRule } from './run-rule.ts';
import type { StateSnapshots } from './state-snapshots.ts';
import type { StreamCache, StreamState } from './stream-cache.ts';

/** Commands between two turns of the event loop, in which progress is told and a cancel heard. */
const sliceLength = 256;

export interface ExecuteHooks {
  readonly isCancelled: (request: ExecuteRequest) => boolean;
  readonly onProgress: (request: ExecuteRequest, done: number, total: number) => void;
}

/** What a group of requests came to. */
export interface GroupResult {
  readonly outcomes: readonly Outcome[];
  /** What was appended, in order of position. */
  readonly appended: readonly RecordedEvent[];
  /** The order that it was appended in (`LogOrder`): in another one it stands elsewhere. */
  readonly rebases: number;
}

/**
 * Loads, decides and appends a group of requests in one exclusive transaction of the log.
 *
 * No other tab can append between the read and the write, so no state is ever stale when it is decided on.
 * Resolves after the transaction is complete. A request that is rejected, refused or buggy leaves the others alone.
 */
export async function executeGroup(
  requests: readonly ExecuteRequest[],
  engine: {
    readonly app: App;
    readonly env: Env;
    readonly log: EventLog;
    readonly cache: StreamCache;
    readonly hooks: ExecuteHooks;
    /** Where aggregates of the app have their states saved. */
    readonly saved: StateSnapshots | undefined;
    readonly decideAcross: DecideAcross | undefined;
    readonly toNote: ToNote | undefined;
  },
): Promise<GroupResult> {
  await engine.saved?.load(requests.flatMap(({ commands }) => commands.slice(0, sliceLength).map(streamOf)));
  const durability = requests.every((request) => request.durability === 'relaxed') ? 'relaxed' : 'strict';
  const { outcomes, appended, states, afterCommit, rebases } = await engine.log.write(
    async (transaction) => {
      // Everything is made anew in here: the log may run this again on a fresh connection.
      const group = createGroup(transaction, engine.cache, engine.env, engine.toNote);
      const outcomes: Outcome[] = [];
      await group.readRevisions(requests.flatMap(({ commands }) => commands.slice(0, sliceLength).map(streamOf)));
      const repeated = await Promise.all(requests.map(({ commandId }) => transaction.findCommit(commandId)));
      for (const [index, request] of requests.entries()) {
        const events = repeated[index] ?? group.committed.get(request.commandId);
        outcomes.push(
          events === undefined
            ? await settle(request, group, () => decideRequest(request, group, engine))
            : { receipt: await toReceipt(request, events, group) },
        );
      }
      const { rebases } = engine.log.order;
      return { outcomes, appended: group.appended, states: group.states, afterCommit: group.afterCommit, rebases };
    },
    { durability },
  );
  // Put into another order meanwhile: whoever needs a state folds it from there.
  if (rebases !== engine.log.order.rebases) return { outcomes, appended, rebases };
  for (const [stream, state] of states) engine.cache.set(stream, state);
  engine.saved?.note(states);
  for (const after of afterCommit) after();
  return { outcomes, appended, rebases };
}

/**
 * The receipt of a command that was committed before; undefined where the log does not know its id, as after a command
 * that was rejected or decided nothing. Of several commands it names the stream of the first event.
 */
export function findReceipt(commandId: string, log: EventLog): Promise<Saved | undefined> {
  // Nothing is written: a transaction is what can look an id up.
  return log.write(
    async (transaction) => {
      const events = (await transaction.findCommit(commandId)) ?? [];
      const [first, last] = [events[0], events.at(-1)];
      if (first === undefined || last === undefined) return undefined;
      const { stream } = first;
      const { revision } = events.findLast((event) => event.stream === stream) ?? first;
      return { status: 'saved', commandId, stream, revision, position: last.position, events: events.length };
    },
    { durability: 'relaxed' },
  );
}

/** A failure is an answer, a bug is thrown to the caller of this request alone. */
async function settle(request: ExecuteRequest, group: Group, decide: () => Promise<Receipt>): Promise<Outcome> {
  const before = group.appended.length;
  try {
    return { receipt: await decide() };
  } catch (thrown) {
    // What it appended goes with the whole transaction: nobody is told of a failure by a command that is saved.
    if (group.appended.length > before) throw thrown;
    if (thrown instanceof FailureError && isOfOneRequest(thrown)) return { receipt: toFailed(request, thrown) };
    // The storage itself failed: the transaction is lost for the whole group.
    if (thrown instanceof FailureError || thrown instanceof DOMException) throw thrown;
    return { thrown };
  }
}

/** Whether it is about the request alone: the storage is well. */
export function isOfOneRequest({ failure }: FailureError): boolean {
  return ofOneRequest.has(failure.type);
}

const ofOneRequest: ReadonlySet<Failure['type']> = new Set([
  'storage.event-refused',
  'engine.cancelled',
  'event.future',
  'event.upcaster-failed',
]);

export function toFailed(request: ExecuteRequest, { failure }: FailureError): Failed {
  return { status: 'failed', commandId: request.commandId, failure };
}

export async function decideRequest(
  request: ExecuteRequest,
  group: Group,
  {
    app,
    hooks,
    decideAcross,
  }: {
    readonly app: App;
    readonly hooks: ExecuteHooks;
    readonly decideAcross: DecideAcross | undefined;
  },
): Promise<Receipt> {
  const { commandId, commands } = request;
  if (hooks.isCancelled(request)) throw cancelled(commandId);
  group.drawn.length = 0;
  if (request.decision !== undefined) {
    if (decideAcross === undefined) throw new Error(noDecision(app, request.decision.name));
    return decideAcross(request, request.decision, group);
  }
  const { now: readClock, newId } = group.env;
  const now = readClock();
  const revisions: Record<string, number> = {};
  // Of this request alone, until all of its commands are accepted.
  const states = new Map<string, StreamState>();
  const events: StreamEvent[] = [];
  const isLong = commands.length > sliceLength;
  const hearCancel = async () => {
    await group.transaction.turn();
    if (hooks.isCancelled(request)) throw cancelled(commandId);
  };
  for (const [index, command] of commands.entries()) {
    if (index % sliceLength === 0 && isLong) {
      await group.readRevisions(commands.slice(index, index + sliceLength).map(streamOf));
      await hearCancel();
      hooks.onProgress(request, index, commands.length);
    }
    const aggregate = app.aggregates.get(command.aggregate);
    if (aggregate === undefined) {
      throw new Error(
        `The app "${app.name}" has no aggregate "${command.aggregate}". Add it to defineApp, or reload the page if it was built at another time than the worker.`,
      );
    }
    const stream = streamOf(command);
    let loaded: StreamState | undefined = states.get(stream);
    if (loaded === undefined) {
      loaded = await loadState(stream, aggregate, group);
      if (aggregate.onConflict === 're-decide') revisions[stream] = loaded.revision;
    }
    if (index === 0 && request.expectedRevision !== undefined) {
      if (!isExpectedRevision(request.expectedRevision, loaded.revision)) return conflict(request, stream, loaded);
    }
    const input = runRule(aggregate.parseInput, command.name, command.input);
    if (!input.ok) {
      const rejection: InvalidInput = reject('invalid-input', { issues: input.issues });
      return { status: 'rejected', commandId, rejection, command: index };
    }
    const context = { id: command.id, now, newId };
    const decision = runRule(aggregate.decide, command.name, input.value, loaded.state, context);
    if (isRejection(decision)) return { status: 'rejected', commandId, rejection: decision, command: index };
    for (const event of 'type' in decision ? [decision] : decision) {
      const who = `The command "${command.name}" of "${aggregate.name}"`;
      const fresh = toStreamEvent(event, stream, aggregate.events, who);
      const revision: number = loaded.revision + 1;
      // Not recorded yet: `evolve` gets the event as it will be, but for its final position.
      const next = provisional(fresh, revision, request, events.length, now, group);
      const state: unknown = runRule(aggregate.evolve, loaded.state, next);
      loaded = { state, revision };
      events.push(fresh);
    }
    states.set(stream, loaded);
  }
  if (isLong) await hearCancel();
  const recorded =
    events.length === 0 ? [] : await appendEvents(request, events, now, { revisions, filters: [] }, group);
  // Once more: of a long list most of the time goes into its text and its digest.
  if (isLong) await hearCancel();
  if (recorded.length > 0) for (const [stream, state] of states) group.states.set(stream, state);
  return toReceipt(request, recorded, group);
}

async function loadState(
  stream: string,
  aggregate: { readonly initialState: () => unknown; evolve(state: unknown, event: RecordedEvent): unknown },
  { states, cache, transaction }: Group,
): Promise<StreamState> {
  const [revision = -1] = await transaction.revisions([stream]);
  const known = states.get(stream) ?? cache.get(stream);
  if (known !== undefined && known.revision === revision) return known;
  // A known state that is behind is a good start; one that is ahead belongs to a log that is no more.
  const start =
    known !== undefined && known.revision < revision ? known : { state: runRule(aggregate.initialState), revision: -1 };
  let state = start.state;
  if (revision > start.revision) {
    for (const event of await transaction.readStream(stream, start.revision + 1))
      state = runRule(aggregate.evolve, state, event);
  }
  // Also where nothing comes of the command: it is what is stored, or was appended in this group before.
  const loaded = { state, revision };
  states.set(stream, loaded);
  return loaded;
}

function provisional(
  event: StreamEvent,
  revision: number,
  { commandId, correlationId = commandId, causationId }: ExecuteRequest,
  index: number,
  recordedAt: number,
  { transaction }: Group,
): RecordedEvent {
  const meta = toMeta({ commandId, correlationId, causationId, recordedAt });
  const position = transaction.head + index + 1;
  return recordEvent({ ...event, tags: sortTags(event.tags ?? []) }, { index, revision, position, meta });
}

function conflict(request: ExecuteRequest, stream: string, { revision }: StreamState): Receipt {
  const expected = request.expectedRevision ?? 'any';
  return {
    status: 'failed',
    commandId: request.commandId,
    failure: {
      type: 'stream.conflict',
      text: `The stream "${stream}" is at revision ${revision}, and the command expected ${expected}. Somebody else changed it meanwhile. Nothing was saved: show the new state and let the user decide again.`,
      stream,
      expected,
      actual: revision,
    },
  };
}

function cancelled(commandId: string): FailureError {
  return new FailureError({
    type: 'engine.cancelled',
    text: `The command "${commandId}" was cancelled before it was committed. Nothing of it was saved.`,
  });
}
