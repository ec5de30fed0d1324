import type { PushedId, SyncReason } from '../protocol/sync-host.ts';
import type { PushedCommit, PushReply, PushResult } from '../protocol/sync-messages.ts';
import { badReply, SyncRefusal } from './transport.ts';

/** What became of a commit that was pushed. */
export interface Answer extends PushedId {
  readonly result: PushResult;
}

export const tooLarge: PushResult = { type: 'rejected', code: 'TOO_LARGE', permanent: true };

/** Results come in the order of the commits, and may end before them. */
export function match(commits: readonly PushedCommit[], { results }: PushReply): readonly Answer[] {
  if (results.length === 0) throw badReply('no result for a push');
  return results.map(({ commitId, result }, index) => {
    const pushed = commits[index];
    if (pushed?.commit.commandId !== commitId) throw badReply('a result for a commit that was not pushed there');
    return { ...toId(pushed), result };
  });
}

export function toId({ commit, digest }: PushedCommit): PushedId {
  return { commandId: commit.commandId, digest };
}

export function pick(answers: readonly Answer[], isWanted: (result: PushResult) => boolean): readonly Answer[] {
  return answers.filter(({ result }) => isWanted(result));
}

export function isTaken({ type }: PushResult): boolean {
  return type === 'accepted' || type === 'duplicate';
}

/**
 * Whether it will never be taken. `ID_CONFLICT` is only believed at the head: the other commit of that id may be the
 * same one as it was written before, and to pull it confirms it.
 */
export function isRefused(result: PushResult, isAtHead: boolean): boolean {
  return result.type === 'rejected' && result.permanent && (isAtHead || result.code !== 'ID_CONFLICT');
}

export function toRefusal({ commandId, digest, result }: Answer): PushedId & SyncReason {
  const code = result.type === 'rejected' ? result.code : 'REFUSED';
  return { commandId, digest, code, text: `The server will never take the command "${commandId}": ${code}.` };
}

/** Why a commit was not taken for now. */
export function toObstacle({ commandId, result }: Answer): SyncRefusal {
  const more = { commandId };
  const what = `The command "${commandId}"`;
  switch (result.type) {
    case 'rejected':
      return new SyncRefusal(result.code, `${what} was rejected by the server: ${result.code}.`, more);
    case 'retry':
      return new SyncRefusal('POSTPONED', `${what} was put off by the server.`, { ...more, after: result.after });
    case 'forked':
      return new SyncRefusal('FORKED', `${what} has a number under which the server has another one.`, more);
    case 'gap':
      return new SyncRefusal('GAP', `The server misses number ${result.expected} before ${what}.`, more);
    default:
      return new SyncRefusal('CONFLICT', `${what} was decided on what is not so on the server, and is here.`, more);
  }
}
