import { isLargerThan } from '../protocol/commit-checks.ts';
import { orderHash } from '../protocol/commit-digest.ts';
import { bytesToHex, hexToBytes } from '../protocol/hex.ts';
import { noHash, toCanonicalCommit } from '../protocol/sync-commit.ts';
import type {
  PushedCommit,
  PushReply,
  PushRequest,
  PushResult,
  SyncGuard,
  SyncLimits,
  SyncPlace,
} from '../protocol/sync-messages.ts';
import { inTime } from './in-time.ts';
import type { Actor, CommitPolicy, CommitVerdict } from './policy.ts';
import { maxCommitBytes, type ServerLimits } from './server-limits.ts';
import { SyncFailure } from './sync-failure.ts';
import type { PushLook, SyncTransaction } from './sync-store.ts';

/** What a push came to: a reply, or that the base is on another history than this log. */
export type PushOutcome =
  | { readonly type: 'pushed'; readonly reply: PushReply; readonly appended: number; readonly events: number }
  | { readonly type: 'diverged'; readonly head: SyncPlace };

export interface PushContext {
  readonly actor: Actor;
  readonly mayPush: CommitPolicy;
  /** How long it may take, and what the log may grow to. */
  readonly limits: Pick<ServerLimits, 'policyMs' | 'logBytes'>;
  readonly now: number;
}

/** A push, and all that `pushCommits` asks for it, but for what matches a condition. */
export interface CheckedPush extends Omit<PushRequest, 'commits'> {
  readonly commits: readonly DigestedCommit[];
  readonly look: PushLook;
}

/** A pushed commit with its canonical text and the digest that it really has: what is costly is done before the lock. */
export interface DigestedCommit extends PushedCommit {
  readonly text: string;
  readonly bytes: number;
  readonly actualDigest: string;
  /** It, or an event of it, is larger than the server takes. */
  readonly isTooLarge: boolean;
}

export function checkPush({ commits, ...request }: PushRequest, limits: SyncLimits): CheckedPush {
  const checked = commits.map((commit) => digestCommit(commit, limits));
  return { ...request, commits: checked, look: lookOf(request, checked) };
}

function digestCommit(pushed: PushedCommit, limits: SyncLimits): DigestedCommit {
  const { text, digest } = toCanonicalCommit(pushed.commit);
  const bytes = new TextEncoder().encode(text).length;
  const isTooLarge =
    bytes > maxCommitBytes ||
    pushed.commit.events.length > limits.pushEvents ||
    // The whole is larger than any part of it.
    (isLargerThan(text, limits.eventBytes) &&
      pushed.commit.events.some(({ data }) => isLargerThan(JSON.stringify(data), limits.eventBytes)));
  return { ...pushed, text, bytes, actualDigest: digest, isTooLarge };
}

function lookOf({ base, client }: Omit<PushRequest, 'commits'>, commits: readonly DigestedCommit[]): PushLook {
  const seqs = commits.filter(({ commit }) => commit.client === client).map(({ commit }) => commit.clientSeq);
  return {
    g: base.g,
    commandIds: commits.map(({ commit }) => commit.commandId),
    client,
    // The client's numbers that the push names, and those before them.
    seqs: [...new Set(seqs.flatMap((seq) => [seq - 1, seq]))],
    streams: [...new Set(commits.flatMap(({ commit, guard }) => streamsOf(commit.events, guard)))],
    bytes: commits.reduce((sum, { bytes, guard = {} }) => sum + bytes + 3 * JSON.stringify(guard).length, 0),
  };
}

/**
 * One push, in one serialisable transaction of its log: `docs/reference/sync-protocol.md` has the order of the checks.
 *
 * Each commit is placed whole or not at all, and its result says which. What throws leaves the log as it was; also a
 * policy that does not answer: it would keep the log from everybody.
 */
export async function pushCommits(
  transaction: SyncTransaction,
  { log, base, client, mode, commits, look }: CheckedPush,
  { actor, mayPush, limits: { policyMs, logBytes }, now }: PushContext,
): Promise<PushOutcome> {
  if (base.g > transaction.head.g || (await transaction.orderHash(base.g)) !== base.oh) {
    return { type: 'diverged', head: transaction.head };
  }
  const known = new Map(await transaction.commitsById(look.commandIds));
  const slots = new Map(await transaction.commitsBySeq(client, look.seqs));
  let last = (await transaction.clientLast(client))?.seq ?? 0;
  const revisions = new Map(await transaction.revisions(look.streams));

  let [appended, events] = [0, 0];

  /** The order of the checks is the protocol's. */
  async function judge(checked: DigestedCommit): Promise<PushResult | undefined> {
    const { commit, digest, actualDigest, bytes, isTooLarge } = checked;
    if (actualDigest !== digest) return rejected('DIGEST_MISMATCH');
    if (commit.logId !== log) return rejected('WRONG_LOG');
    const same = known.get(commit.commandId);
    if (same !== undefined) {
      if (same.digest !== digest) return rejected('ID_CONFLICT');
      if (commit.client === client) last = Math.max(last, commit.clientSeq);
      return { type: 'duplicate', g: same.g };
    }
    if (mode === 'own' && commit.client !== client) return rejected('WRONG_CLIENT');
    const asked = mayPush(actor, commit, { mode, heads: headsOf(commit.events, revisions) });
    const verdict = await inTime(asked, policyMs, () => silent(policyMs));
    if (verdict !== 'allow') return toResult(verdict);
    if (isTooLarge) return rejected('COMMIT_TOO_LARGE');
    if (transaction.bytes + bytes > logBytes) return { type: 'rejected', code: 'LOG_FULL', permanent: false };
    const conflict = await judgeGuard(checked);
    if (conflict !== undefined) return conflict;
    return mode === 'own' ? judgePlace(commit) : undefined;
  }

  /** Whether the client's number is free, and the commit that it follows is there, as the author chain says. */
  async function judgePlace({ clientSeq, prev }: PushedCommit['commit']): Promise<PushResult | undefined> {
    // Another commit at its number, or another one before it: two histories were written under this client's name.
    if (slots.has(clientSeq)) return { type: 'forked', seq: clientSeq };
    const before = clientSeq === 1 ? noHash : slots.get(clientSeq - 1)?.digest;
    if (before === prev) return undefined;
    if (before !== undefined) return { type: 'forked', seq: clientSeq };
    // Recovered commits took no number: one of them may be the one before, or another copy's of the same number.
    if (await transaction.hasCommit(client, clientSeq - 1, prev)) return undefined;
    return { type: 'gap', expected: Math.min(last + 1, clientSeq - 1) };
  }

  async function judgeGuard({ commit, guard }: DigestedCommit): Promise<PushResult | undefined> {
    for (const { stream, revision } of guard?.revisions ?? []) {
      const actual = revisions.get(stream) ?? -1;
      if (actual !== revision) return { type: 'conflict', stream, revision: actual };
    }
    if (guard?.condition === undefined) return undefined;
    const { failIfEventsMatch, after } = guard.condition;
    if (failIfEventsMatch.length === 0) return undefined;
    const match = await transaction.firstMatch(failIfEventsMatch, after, {
      client: commit.client,
      beforeSeq: commit.clientSeq,
    });
    return match && { type: 'conflict', ...match };
  }

  const results: { readonly commitId: string; readonly result: PushResult }[] = [];
  const endAt = performance.now() + policyMs;
  for (const checked of commits) {
    // Others wait for the log. The rest is pushed again.
    if (results.length > 0 && performance.now() > endAt) break;
    const { commit, digest, text, bytes } = checked;
    const refusal = await judge(checked);
    if (refusal !== undefined) {
      results.push({ commitId: commit.commandId, result: refusal });
      if (refusal.type === 'forked' || refusal.type === 'gap') break;
      // Its author's next one would be placed before it, for nothing compares what is recovered with what it follows.
      if (mode === 'recover' && isPassing(refusal)) break;
      continue;
    }
    const { head } = transaction;
    const g = head.g + commit.events.length;
    const oh = bytesToHex(orderHash(hexToBytes(head.oh), hexToBytes(digest), g));
    const isRecovered = mode === 'recover';
    const place = { g, oh, isRecovered, actor: actor.id, receivedAt: now };
    await transaction.append([{ ...place, text, bytes, digest, commit, revisions: moveOn(commit.events, revisions) }]);
    const entry = { id: commit.commandId, g, seq: commit.clientSeq, digest };
    known.set(commit.commandId, entry);
    if (!isRecovered) {
      slots.set(commit.clientSeq, entry);
      last = Math.max(last, commit.clientSeq);
    }
    appended += 1;
    events += commit.events.length;
    results.push({ commitId: commit.commandId, result: { type: 'accepted', g } });
  }
  return { type: 'pushed', reply: { base, results, head: transaction.head }, appended, events };
}

function streamsOf(events: readonly { readonly stream: string }[], guard: SyncGuard | undefined): readonly string[] {
  return [...events.map(({ stream }) => stream), ...(guard?.revisions ?? []).map(({ stream }) => stream)];
}

function headsOf(
  events: readonly { readonly stream: string }[],
  revisions: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  return new Map(events.map(({ stream }) => [stream, revisions.get(stream) ?? -1]));
}

function moveOn(events: readonly { readonly stream: string }[], revisions: Map<string, number>): readonly number[] {
  return events.map(({ stream }) => {
    const revision = (revisions.get(stream) ?? -1) + 1;
    revisions.set(stream, revision);
    return revision;
  });
}

/** Whether it may be taken later. */
function isPassing(result: PushResult): boolean {
  return result.type === 'retry' || (result.type === 'rejected' && !result.permanent);
}

/**
 * In the words of the protocol: a client that cannot read one result reads none of them.
 *
 * Throws where the policy says what cannot be passed on: its author has to hear of that, and no device.
 */
function toResult(verdict: Exclude<CommitVerdict, 'allow'>): PushResult {
  if ('after' in verdict) {
    const after = Math.max(0, Math.ceil(verdict.after));
    if (Number.isSafeInteger(after)) return { type: 'retry', after };
    throw new TypeError('The policy puts a commit off by what is no number of milliseconds.');
  }
  const { deny: code, permanent = true } = verdict;
  if (typeof code === 'string' && code !== '' && code.length <= 256 && code.isWellFormed()) {
    return { type: 'rejected', code, permanent };
  }
  throw new TypeError('The policy denies a commit with what is no text of 1 to 256 characters.');
}

function silent(ms: number): SyncFailure {
  const text = `The rules for commits did not answer in ${ms} ms. Nothing was changed.`;
  return new SyncFailure('UNAVAILABLE', text, { after: 2_000 });
}

function rejected(code: string): PushResult {
  return { type: 'rejected', code, permanent: true };
}
