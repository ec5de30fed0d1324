import type { App } from '../../core/app.ts';
import type { Env } from '../../core/env.ts';
import { FailureError } from '../../core/errors.ts';
import type { RecordedEvent } from '../../core/events.ts';
import type { Receipt } from '../../core/receipt.ts';
import type { Rejection } from '../../core/rejection.ts';
import type { Upcaster } from '../../core/upcast.ts';
import type { CheckedCommit } from '../../log/checked-commit.ts';
import type { NewCommit } from '../../log/event-log.ts';
import type { OrderedCommit, SyncTransaction } from '../../log/synced-log.ts';
import type { RefusedCommit } from '../../protocol/engine-api.ts';
import { bytesToHex } from '../../protocol/hex.ts';
import type { SyncCommit } from '../../protocol/sync-commit.ts';
import type { SyncReason } from '../../protocol/sync-host.ts';
import type { SyncBase } from '../../protocol/sync-messages.ts';
import type { DecideAcross } from '../decide-across.ts';
import { decideRequest } from '../execute.ts';
import { createGroup } from '../group.ts';
import { createStreamCache } from '../stream-cache.ts';
import { type CommitNote, createDisturbance, toCommitNote } from './commit-note.ts';
import { countOrphans } from './orphans.ts';
import { keepRefused } from './refused-commits.ts';

/** What decides again. */
export interface Decider {
  readonly app: App;
  readonly env: Env;
  readonly upcaster: Upcaster;
  /** One that has cached nothing: what it knew may be no more. */
  readonly createDecideAcross: (() => DecideAcross) | undefined;
}

/** Commits between two turns of the event loop: a worker that answers nothing for long is taken for dead. */
const commitsPerTurn = 256;

export interface RebaseChange {
  /** Position up to which nothing changes: a commit ends there, and the base is not after it. */
  readonly from: number;
  /** Put before what is pending, as their authors wrote them. */
  readonly placed?: readonly CheckedCommit[];
  readonly base?: SyncBase;
  /** Own commits that a server will never take. */
  readonly refusals?: ReadonlyMap<string, SyncReason>;
  /** Events that stood before what is pending, and do no more. */
  readonly lost?: readonly RecordedEvent[];
  /** Another client is the author of what is pending from here on. */
  readonly renews?: boolean;
}

/**
 * Takes out what is pending after a position, puts what came before it, and appends it again, in the transaction at
 * hand. What was decided on something that is other now is decided again: with the same outcome it stays as it is, with
 * another it is replaced, and where the domain says no it is withdrawn.
 */
export async function rebase(
  transaction: SyncTransaction,
  pending: readonly OrderedCommit[],
  { from, placed = [], base, refusals = new Map(), lost = [], renews = false }: RebaseChange,
  decider: Decider,
): Promise<void> {
  const { beside } = transaction;
  // What has to be decided again is only marked then: more that it depends on may come back.
  const defers = (await countOrphans(beside)) > 0;
  const pendingById = new Map(pending.map((commit) => [commit.commit.commandId, commit]));
  const notes = await readNotes(transaction, pending);
  if (pending.length > 0) await transaction.cutAfter(from);
  const disturbance = createDisturbance(decider.upcaster);
  disturbance.add(lost);
  const placedIds = new Set(placed.map(({ commit }) => commit.commandId));
  const overtaken = new Set(overtaking(pending, placedIds));
  const refused = new Set(await beside.ids('refused'));
  for (const checked of placed) {
    const { commit } = checked;
    const events = await transaction.place(checked);
    const digest = bytesToHex(checked.digest);
    const own = pendingById.get(commit.commandId);
    if (own?.digest !== digest || overtaken.has(commit.commandId)) disturbance.add(events);
    if (own !== undefined && own.digest !== digest) disturbance.add(own.events);
    // Of the many that others wrote there is nothing to delete: each would be a request to the database.
    if (own !== undefined) beside.delete('note', commit.commandId);
    if (refused.has(commit.commandId)) beside.delete('refused', commit.commandId);
  }
  if (base !== undefined) transaction.setBase(base);
  if (renews) transaction.renewClient();

  /** Only a newer version of the app can decide them again. They stand behind all that was not decided on them. */
  const waiting: [OrderedCommit, CommitNote][] = [];
  const held = createDisturbance(decider.upcaster);
  const states = createStreamCache();
  const decideAcross = decider.createDecideAcross?.();

  function withdraw({ commit, events }: OrderedCommit, reason: SyncReason, rejection?: Rejection): void {
    const { commandId } = commit;
    const request = notes.get(commandId)?.request;
    const refused: RefusedCommit = {
      commandId,
      reason,
      ...(rejection === undefined ? {} : { rejection }),
      refusedAt: decider.env.now(),
      commit,
      ...(request === undefined ? {} : { request }),
    };
    keepRefused(beside, refused);
    beside.delete('note', commandId);
    disturbance.add(events);
  }

  /** It stays as it is, and is decided again later. */
  async function mark({ commit }: OrderedCommit, note: CommitNote): Promise<void> {
    beside.put('marked', commit.commandId, true);
    await transaction.append(toNewCommit(commit, { ...note, mustDecide: true }));
  }

  function wait(own: OrderedCommit, note: CommitNote): void {
    waiting.push([own, note]);
    held.add(own.events);
  }

  /** Whether a newer build saved it: what that was given, this one may understand in part, or not at all. */
  function isNewer({ events }: OrderedCommit, { version }: CommitNote): boolean {
    const { upcast, readable } = decider.upcaster;
    return version > decider.app.version || readable(upcast(events)).length < events.length;
  }

  async function decideAgain(own: OrderedCommit, note: CommitNote): Promise<void> {
    if (isNewer(own, note)) {
      wait(own, note);
      return;
    }
    const { recordedAt } = own.commit;
    const { request, drawn, principal } = note;
    const group = createGroup(
      transaction,
      states,
      replayEnv(decider.env, drawn, recordedAt),
      (_request, decidedOn, ids) =>
        toCommitNote(request, { decidedOn, drawn: ids, principal, version: decider.app.version }),
    );
    let receipt: Receipt;
    try {
      receipt = await decideRequest(request, group, { app: decider.app, hooks: noHooks, decideAcross });
    } catch (error) {
      if (error instanceof DOMException) throw error;
      if (error instanceof FailureError) {
        const { type, text } = error.failure;
        if (type === 'event.future' || type === 'event.upcaster-failed') wait(own, note);
        else if (type === 'storage.event-refused') withdraw(own, { code: type, text });
        else throw error;
        return;
      }
      const text = `The command could not be decided again on what others have saved before it: ${String(error)}. It was withdrawn and kept.`;
      withdraw(own, { code: 'DECIDE_FAILED', text });
      return;
    }
    for (const [stream, state] of group.states) states.set(stream, state);
    for (const after of group.afterCommit) after();
    switch (receipt.status) {
      case 'rejected': {
        const { code } = receipt.rejection;
        const text = `Decided again on what others have saved before it, the command was rejected: ${code}. It was withdrawn.`;
        withdraw(own, { code, text }, receipt.rejection);
        break;
      }
      case 'failed':
        withdraw(own, { code: receipt.failure.type, text: receipt.failure.text });
        break;
      case 'saved':
        if (receipt.events === 0) {
          const text = 'Decided again on what others have saved before it, the command had nothing left to do.';
          withdraw(own, { code: 'NOTHING_LEFT', text });
        } else if (!isSame(own.events, group.appended)) {
          disturbance.add(own.events);
          disturbance.add(group.appended);
        }
    }
  }

  for (const [index, own] of pending.entries()) {
    if (index % commitsPerTurn === commitsPerTurn - 1) await transaction.turn();
    const { commandId } = own.commit;
    if (placedIds.has(commandId)) continue;
    const refusal = refusals.get(commandId);
    const note = notes.get(commandId);
    if (refusal !== undefined) withdraw(own, refusal);
    else if (note !== undefined && held.hits(note.decidedOn)) wait(own, note);
    else if (note !== undefined && (note.mustDecide || disturbance.hits(note.decidedOn))) {
      if (defers) await mark(own, note);
      else await decideAgain(own, note);
    } else await transaction.append(toNewCommit(own.commit, note));
  }
  for (const [own, note] of waiting) await mark(own, note);
}

/** Own commits that a server has placed before others that they were saved after. */
function* overtaking(pending: readonly OrderedCommit[], placedIds: ReadonlySet<string>): Generator<string> {
  let isLeft = false;
  for (const { commit } of pending) {
    if (!placedIds.has(commit.commandId)) isLeft = true;
    else if (isLeft) yield commit.commandId;
  }
}

export async function readNotes(
  { beside }: Pick<SyncTransaction, 'beside'>,
  commits: readonly OrderedCommit[],
): Promise<ReadonlyMap<string, CommitNote>> {
  const ids = commits.map(({ commit }) => commit.commandId);
  // Written by `toCommitNote`.
  const found = (await beside.get('note', ids)) as readonly (CommitNote | undefined)[];
  return new Map(found.flatMap((note, index) => (note === undefined ? [] : [[ids[index] ?? '', note] as const])));
}

function toNewCommit(
  { commandId, correlationId, causationId, recordedAt, events }: SyncCommit,
  note: CommitNote | undefined,
): NewCommit {
  const lineage = { commandId, correlationId, ...(causationId === undefined ? {} : { causationId }), recordedAt };
  return { ...lineage, events, note };
}

function replayEnv(env: Env, drawn: readonly string[], recordedAt: number): Env {
  let next = 0;
  return {
    ...env,
    now: () => recordedAt,
    newId: () => {
      const id = drawn[next] ?? env.newId();
      next += 1;
      return id;
    },
  };
}

/** Whether they say the same: place and time aside. */
function isSame(before: readonly RecordedEvent[], now: readonly RecordedEvent[]): boolean {
  const say = (events: readonly RecordedEvent[]) =>
    JSON.stringify(events.map(({ stream, type, version, data, tags = [] }) => [stream, type, version, data, tags]));
  return say(before) === say(now);
}

const noHooks = { isCancelled: () => false, onProgress: () => undefined };
