import { orderHash } from '../protocol/commit-digest.ts';
import { bytesToHex, hexToBytes } from '../protocol/hex.ts';
import type { SyncCommit } from '../protocol/sync-commit.ts';
import type { Sync } from '../protocol/sync-host.ts';
import {
  type PulledCommit,
  type PushedCommit,
  type PushResult,
  type SyncLimits,
  type SyncPlace,
  syncProtocol,
} from '../protocol/sync-messages.ts';
import { isOffline, offline, toClause } from './offline.ts';
import { type Principal, type SyncCall, SyncRefusal, type SyncTransport } from './transport.ts';
import { transportSync } from './transport-sync.ts';

export interface PushSyncOptions {
  /**
   * Gives commits to a back end, oldest first: one result for each, in order. It may give fewer; what has none is sent
   * again. What it throws is an attempt that failed.
   *
   * The same commit may come again, after a lost answer or a restart: it is known by its `commandId`. What else is in
   * it may differ by then, but for its events.
   */
  push(commits: readonly OfferedCommit[], call: SyncCall): Promise<readonly OfferResult[]>;
  /** Who is signed in, where several may use the device. */
  readonly principal?: Principal;
}

export interface OfferedCommit {
  readonly commit: SyncCommit;
  readonly digest: string;
}

/**
 * What the back end says of a commit. `duplicate`: it has it already. `rejected` with `permanent`: it will never take it,
 * and the command is withdrawn. `retry`: not now; after so many milliseconds.
 */
export type OfferResult =
  | { readonly type: 'accepted' | 'duplicate' }
  | { readonly type: 'rejected'; readonly code: string; readonly permanent: boolean }
  | { readonly type: 'retry'; readonly after: number };

/**
 * Sends what is saved to a back end of one's own, which has to know nothing of Varve. Nothing comes back from there: it
 * is for a log that is written on one device.
 *
 * ### Example
 * ```ts
 * startWorker(bank, {
 *   sync: pushSync({
 *     push: async (commits, { signal }) => {
 *       const response = await fetch('/bookings', { method: 'POST', body: JSON.stringify(commits), signal });
 *       return response.json();
 *     },
 *   }),
 * });
 * ```
 */
export function pushSync({ push, principal = '' }: PushSyncOptions): Sync {
  return transportSync(createPushTransport(push), { principal });
}

const epoch = 'push';

const limits: SyncLimits = {
  bodyBytes: 1_048_576,
  pushCommits: 256,
  pushEvents: 1_000,
  eventBytes: 1_048_576,
  jsonDepth: 128,
  pageEvents: 1_000,
  pageBytes: 1_048_576,
};

/** What the back end has and the log has not confirmed, in a row from a place of the log. */
interface Chain {
  readonly start: SyncPlace;
  readonly placed: readonly PulledCommit[];
}

/**
 * The server that a back end without an order lacks: it places what was taken in the order of the log itself, after
 * its base, and gives it back. One client writes, so that its base is always right.
 *
 * In memory only. After a restart what was not confirmed is pushed again, and the back end knows it.
 */
export function createPushTransport(push: PushSyncOptions['push']): SyncTransport {
  const chains = new Map<string, Chain>();

  /** What is placed after the base. Where the base is on none of it, another tab has gone on: it begins anew from there. */
  function follow(log: string, { g, oh }: SyncPlace): Chain {
    const { start, placed } = chains.get(log) ?? { start: { g, oh }, placed: [] };
    const index = [start, ...placed].findIndex((place) => place.g === g && place.oh === oh);
    const chain = { start: { g, oh }, placed: index === -1 ? [] : placed.slice(index) };
    chains.set(log, chain);
    return chain;
  }

  function place(log: string, { commit, digest }: PushedCommit): number {
    const chain = chains.get(log) as Chain;
    const end = headOf(chain);
    const g = end.g + commit.events.length;
    const oh = bytesToHex(orderHash(hexToBytes(end.oh), hexToBytes(digest), g));
    chains.set(log, { ...chain, placed: [...chain.placed, { g, oh, commit }] });
    return g;
  }

  return {
    hello: async ({ log, base }) => ({
      proto: syncProtocol,
      epoch,
      head: headOf(follow(log, base)),
      clientLast: null,
      serverTime: 0,
      limits,
      minApp: 0,
    }),
    pull: async ({ log, base, limit }) => {
      const chain = follow(log, base);
      // One commit at least; pages are counted as a server counts them.
      const commits = chain.placed.filter(({ g }, index) => index === 0 || g <= base.g + limit);
      return { base, commits, head: headOf(chain) };
    },
    push: async ({ log, base, commits }, call) => {
      const { placed } = follow(log, base);
      const results: { readonly commitId: string; readonly result: PushResult }[] = [];
      const finish = () => ({ base, results, head: headOf(follow(log, base)) });
      for (const { commit } of commits) {
        const known = placed.find((one) => one.commit.commandId === commit.commandId);
        if (known === undefined) break;
        results.push({ commitId: commit.commandId, result: { type: 'duplicate', g: known.g } });
      }
      // What stands behind these has no result: it is pushed next.
      if (results.length > 0 || commits.length === 0) return finish();
      const offered = commits.map(({ commit, digest }) => ({ commit, digest }));
      const answers = readResults(await offer(push, offered, call), commits.length);
      for (const [index, answer] of answers.entries()) {
        const pushed = commits[index] as PushedCommit;
        const commitId = pushed.commit.commandId;
        if (answer.type === 'rejected' || answer.type === 'retry') {
          results.push({ commitId, result: answer });
          // The order of the log is kept: what was taken behind this one is known there when it is pushed again.
          break;
        }
        results.push({ commitId, result: { type: answer.type, g: place(log, pushed) } });
      }
      return finish();
    },
    common: async ({ points }) => ({ g: points[0]?.g ?? 0 }),
  };
}

async function offer(
  push: PushSyncOptions['push'],
  commits: readonly OfferedCommit[],
  call: SyncCall,
): Promise<readonly OfferResult[]> {
  try {
    return await push(commits, call);
  } catch (error) {
    if (error instanceof SyncRefusal) throw error;
    if (isOffline(error)) throw offline('The back end', error);
    throw new SyncRefusal('FAILED', `The app's push failed: ${toClause(error)}.`);
  }
}

/** The answer may be anything: it comes from a back end. */
function readResults(results: readonly OfferResult[], count: number): readonly OfferResult[] {
  if (Array.isArray(results) && results.length > 0 && results.length <= count && results.every(isResult)) {
    return results;
  }
  throw new SyncRefusal('BAD_REPLY', 'The push of the app gave something else than one result for each commit.');
}

function isResult(result: Partial<Record<string, unknown>> | null | undefined): boolean {
  switch (result?.type) {
    case 'accepted':
    case 'duplicate':
      return true;
    case 'rejected':
      return typeof result.code === 'string' && result.code !== '' && typeof result.permanent === 'boolean';
    case 'retry':
      return Number.isFinite(result.after);
    default:
      return false;
  }
}

function headOf({ start, placed }: Chain): SyncPlace {
  const { g, oh } = placed.at(-1) ?? start;
  return { g, oh };
}
