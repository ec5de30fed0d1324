import { readStoredText } from '../protocol/parse.ts';
import type { SyncCommit } from '../protocol/sync-commit.ts';
import type { PushMode } from '../protocol/sync-messages.ts';

/** Who speaks, as the app's authentication has found out. */
export interface Actor {
  /** Kept with every commit that they push: a text of 1 to 1,024 characters without U+0000. */
  readonly id: string;
  /** Rates are counted for each device, where the authentication tells them apart. */
  readonly device?: string;
}

/** As it stands in a dump, or is going to. */
export function readActorId(value: unknown, path: string): string {
  return readStoredText(value, path, 1_024);
}

/** Who sent a request; undefined where it does not prove that. */
export type Authenticate = (request: Request) => Actor | undefined | Promise<Actor | undefined>;

/** A denial is a code for the app, in upper case as those of the protocol. */
export type LogVerdict = 'allow' | { readonly deny: string };

/** A commit may also be denied for now, or put off for some milliseconds. */
export type CommitVerdict =
  | 'allow'
  | { readonly deny: string; readonly permanent?: boolean }
  | { readonly after: number };

/** Whether the actor may read a log; or create it, where it is not there yet. */
export type LogPolicy = (actor: Actor, logId: string, intent: 'read' | 'create') => LogVerdict | Promise<LogVerdict>;

/**
 * Whether the actor may push a commit. Asked while the log is locked, so that what it is told stays true: it is quick.
 *
 * It asks nothing of the database that the store is in: on PGlite it would wait for the transaction that it is asked in,
 * and all logs with it; on PostgreSQL each rule that waits holds a connection of the store's pool. Rights are kept in
 * memory, or read through a pool of their own.
 *
 * Where it does not answer in five seconds (`policyMs`), nothing of the push is stored, and it is pushed again later.
 */
export type CommitPolicy = (
  actor: Actor,
  commit: SyncCommit,
  context: CommitContext,
) => CommitVerdict | Promise<CommitVerdict>;

export interface CommitContext {
  readonly mode: PushMode;
  /** The revision of every stream that the commit touches, before it; −1 where it has no event. */
  readonly heads: ReadonlyMap<string, number>;
}

/** Rules of the app. What is left out is denied; commits only for now, so that no device withdraws what it has. */
export interface Policy {
  readonly log?: LogPolicy;
  readonly commit?: CommitPolicy;
}

export const denyLog: LogPolicy = () => ({ deny: 'FORBIDDEN' });
/** Not for good: who forgot a rule has lost nothing. */
export const denyCommit: CommitPolicy = () => ({ deny: 'FORBIDDEN', permanent: false });

/** Everybody who is known may do everything: for a demo. */
export const allowAll: Policy = { log: () => 'allow', commit: () => 'allow' };

/**
 * Knows who sends one of the tokens as `Authorization: Bearer …`: for development, and for few users.
 *
 * ### Example
 * ```ts
 * const authenticate = authenticateTokens({ 'a-long-random-text': { id: 'ada' } });
 * ```
 */
export function authenticateTokens(actors: { readonly [token: string]: Actor }): Authenticate {
  // Looked up by its hash: how long a comparison takes tells nothing of a token.
  const byHash = new Map<string, Actor>();
  const ready = Promise.all(
    Object.entries(actors).map(async ([token, actor]) => byHash.set(await hashToken(token), actor)),
  );
  return async (request) => {
    // The name of the scheme is told in any case (RFC 9110, 11.1).
    const token = /^Bearer ([^\s]{1,1024})$/i.exec(request.headers.get('authorization') ?? '')?.[1];
    if (token === undefined) return undefined;
    await ready;
    return byHash.get(await hashToken(token));
  };
}

async function hashToken(token: string): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token));
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
