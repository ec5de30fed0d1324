import type { PushedId, SyncHost, SyncReason, SyncState } from '../protocol/sync-host.ts';
import {
  type HelloReply,
  type PushedCommit,
  type PushMode,
  type PushReply,
  type PushResult,
  type SyncBase,
  type SyncLimits,
  type SyncPlace,
  type SyncPoke,
  syncProtocol,
} from '../protocol/sync-messages.ts';
import { createAcknowledgements } from './acknowledgements.ts';
import { codeOf, SyncRefusal, type SyncTransport } from './transport.ts';
import type { Turn } from './turn.ts';

/** What a client and a server say to each other, cycle after cycle, and what it remembers of that in between. */
export interface Session {
  /**
   * Pulls to the head, pushes what is pending, offers what a restored server has lost.
   *
   * Throws what is in the way.
   * @returns why it is not all, where it has done what it may.
   */
  run(turn: Turn): Promise<SyncReason | undefined>;
  /** Something may have changed there: it says hello before it goes on. */
  greetAgain(): void;
  /** Of the server; undefined where none was met. */
  readonly epoch: string | undefined;
  isKnown(poke: SyncPoke): boolean;
}

/** Refusals and recoveries in a row after which it waits: two that never agree must not keep each other busy. */
const maxMends = 16;
/** In one cycle: two servers of different histories behind one address would send it back for ever. */
const maxReturns = 3;

/** By how much the share grows with each success. */
const shareStep = 1 / 64;

export function createSession(host: SyncHost, transport: SyncTransport, principal: () => string): Session {
  const { logId, app, env } = host;
  const acknowledged = createAcknowledgements(env);
  let server: HelloReply | undefined;
  let mustGreet = true;
  let base: SyncBase | undefined;
  /** Of what the server takes and gives at most: halved after a push that was too large, or an answer that was too slow. */
  let share = 1;

  /** One cycle: its own names for the turn and for how often it had to mend something since it last got on. */
  function createCycle({ step, ask }: Turn) {
    let mends = 0;
    let returns = 0;
    let head: SyncPlace | undefined;

    async function run(): Promise<SyncReason | undefined> {
      for (;;) {
        try {
          await greet();
          await pullToHead();
          const state = await step(host.readState());
          const pushed = await pushOwn(state);
          if (pushed === 'some' || (await offerOrphans(state))) continue;
          if (pushed === 'others') return otherPrincipal;
          if (state.pending > 0)
            throw new SyncRefusal('UNCONFIRMED', 'The server took commits and does not show them.');
          return undefined;
        } catch (error) {
          await mend(error);
        }
      }
    }

    async function greet(): Promise<void> {
      if (!mustGreet) return;
      const state = await step(host.readState());
      base = state.base;
      const { client, lastClientSeq } = state;
      const reply = await ask((signal) =>
        transport.hello(
          { proto: [syncProtocol, syncProtocol], app, log: logId, client, base: state.base, lastClientSeq },
          { signal, principal: principal() },
        ),
      );
      if (reply.proto !== syncProtocol) throw badReply(`it speaks version ${reply.proto} of the protocol`);
      server = reply;
      mustGreet = false;
      head = reply.head;
    }

    /** Throws what cannot be mended at once. */
    async function mend(error: unknown): Promise<void> {
      const code = codeOf(error);
      if (code !== 'DIVERGED' && code !== 'UNKNOWN_LOG' && code !== 'OTHER_PRINCIPAL') throw error;
      count(error);
      if (code === 'DIVERGED') {
        returns += 1;
        if (returns > maxReturns) throw error;
        await goBack();
      }
      mustGreet = true;
    }

    function count(obstacle: unknown): void {
      mends += 1;
      if (mends > maxMends) throw obstacle;
    }

    async function goBack(): Promise<void> {
      acknowledged.clear();
      const state = await step(host.readState());
      const points = await step(host.readPlaces());
      const { g } = await ask((signal) => transport.common({ log: logId, points }, { signal, principal: principal() }));
      if (g !== 0 && !points.some((point) => point.g === g)) throw badReply(`the place ${g} was not asked for`);
      await step(host.goBack(state.base, g));
    }

    async function pullToHead(): Promise<void> {
      base = (await step(host.readState())).base;
      const told = head;
      head = undefined;
      // What a hello has told is as good as an empty page.
      if (told !== undefined && isSamePlace(told, base)) return;
      for (let from: SyncBase | undefined = base; from !== undefined; ) from = await pullPage(from);
    }

    /** @returns where to go on; undefined at the head. */
    async function pullPage(from: SyncBase): Promise<SyncBase | undefined> {
      const { limits, epoch } = requireServer();
      const { pageEvents: limit, pageBytes: maxBytes } = shareOf(limits);
      const reply = await askMuch((signal) =>
        transport.pull({ log: logId, base: from, limit, maxBytes }, { signal, principal: principal() }),
      );
      if (!isSamePlace(reply.base, from)) throw badReply('a page for another base than was asked for');
      if (reply.commits.length === 0) {
        if (!isSamePlace(reply.head, from)) throw badReply('an empty page before the head');
        return undefined;
      }
      const outcome = await step(host.applyPage({ base: from, epoch, commits: reply.commits }));
      if (outcome.status === 'broken') throw badReply(outcome.text);
      if (outcome.status === 'stale') {
        // Another tab was quicker.
        count(new SyncRefusal('STALE', 'The log moved on under every page that was pulled.'));
        base = (await step(host.readState())).base;
        return base;
      }
      mends = 0;
      base = outcome.base;
      acknowledged.forget(reply.commits.map(({ commit }) => commit.commandId));
      return base.g < reply.head.g ? base : undefined;
    }

    /** One batch. */
    async function pushOwn({ pending }: SyncState): Promise<'some' | 'none' | 'others'> {
      if (pending === 0) return 'none';
      const who = principal();
      const page = await step(
        host.readPush({
          limits: shareOf(requireServer().limits),
          principal: who,
          isAcknowledged: (id) => acknowledged.has(id),
        }),
      );
      if (page.commits.length === 0) return page.isOthers ? 'others' : 'none';
      const isAllOffered = acknowledged.isEmpty;
      const reply = await offer(page, 'own', who);
      const taken = pick(reply.answers, isTaken);
      const refused = pick(reply.answers, (result) => isRefused(result, isSamePlace(reply.head, page.base)));
      if (taken.length > 0) {
        mends = 0;
        acknowledged.add(taken);
        host.noteAcknowledged(taken);
      }
      if (refused.length > 0) await step(host.refuse(refused.map(toRefusal)));
      // What comes behind the first that was not taken was looked at without it.
      const stop = reply.answers.find(({ result }) => !isTaken(result));
      if (stop === undefined) return 'some';
      const obstacle = toObstacle(stop);
      switch (stop.result.type) {
        case 'rejected':
          if (!stop.result.permanent) await postpone(obstacle, taken.length > 0);
          count(obstacle);
          return 'some';
        case 'retry':
          await postpone(obstacle, taken.length > 0);
          return 'some';
        case 'forked':
          count(obstacle);
          // What this client has on the server keeps its stamp: it has to be confirmed before the rest is written anew.
          await pullToHead();
          await step(host.renewClient(page.client));
          return 'some';
        case 'gap':
        case 'conflict': {
          // It follows from a commit that the server took and has lost.
          if (!isAllOffered) acknowledged.clear();
          // No pull can change what it says of the very place that the push was made from.
          else if (stop.result.type === 'gap' || isSamePlace(reply.head, page.base)) throw obstacle;
          count(obstacle);
          return 'some';
        }
        default:
          return 'some';
      }
    }

    /** Nothing behind it can be placed before it: waits, but not with what was taken before it. */
    async function postpone(obstacle: SyncRefusal, isSomeTaken: boolean): Promise<never> {
      if (isSomeTaken) await pullToHead();
      throw obstacle;
    }

    /** @returns whether there was something to offer. */
    async function offerOrphans({ orphans, client }: SyncState): Promise<boolean> {
      if (orphans === 0 || base === undefined) return false;
      const commits = await step(host.readOrphans(shareOf(requireServer().limits)));
      if (commits.length === 0) return false;
      const { answers } = await offer({ base, client, commits }, 'recover', principal());
      // An answer may be lost with the server that gave it: they are let go when they are confirmed.
      await pullToHead();
      const settled = pick(answers, (result) => isTaken(result) || isRefused(result, true));
      await step(host.dropOrphans(settled.map(({ commandId }) => commandId)));
      const rest = answers.find(({ result }) => !isTaken(result) && !isRefused(result, true));
      if (rest !== undefined) throw toObstacle(rest);
      return true;
    }

    /** Pushes as many of the commits, from the first, as the server takes at a time. */
    async function offer(
      { base: from, client, commits }: Offer,
      mode: PushMode,
      who: string,
    ): Promise<{ readonly answers: readonly Answer[]; readonly head: SyncPlace }> {
      const { limits } = requireServer();
      for (let size = commits.length; ; size = Math.ceil(size / 2)) {
        const request = { log: logId, base: from, client, commits: commits.slice(0, size), mode };
        try {
          const reply = await askMuch((signal) => transport.push(request, { signal, principal: who }));
          if (!isSamePlace(reply.base, from)) throw badReply('results for another base than was pushed from');
          return { answers: match(request.commits, reply), head: reply.head };
        } catch (error) {
          const only = size === 1 ? commits[0] : undefined;
          if (codeOf(error) !== 'TOO_LARGE' || (only !== undefined && !isOver(request, limits))) throw error;
          // It would be in the way of all behind it for ever.
          if (only !== undefined) return { answers: [{ ...toId(only), result: tooLarge }], head: from };
          share = size / 2 / limits.pushCommits;
        }
      }
    }

    /** On a line that is too slow for a whole page, half a page gets through. */
    async function askMuch<Value>(call: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
      try {
        const value = await ask(call);
        share = Math.min(1, share + shareStep);
        return value;
      } catch (error) {
        if (codeOf(error) === 'TIMEOUT') share = Math.max(shareStep, share / 2);
        throw error;
      }
    }

    return { run };
  }

  function requireServer(): HelloReply {
    if (server === undefined) throw new Error('Sync speaks to a server before its hello.');
    return server;
  }

  function shareOf(limits: SyncLimits): SyncLimits {
    const part = (limit: number) => Math.max(1, Math.round(limit * share));
    return {
      ...limits,
      bodyBytes: part(limits.bodyBytes),
      pushCommits: part(limits.pushCommits),
      pushEvents: part(limits.pushEvents),
      pageEvents: part(limits.pageEvents),
      pageBytes: part(limits.pageBytes),
    };
  }

  return {
    run: (turn) => createCycle(turn).run(),
    get epoch() {
      return server?.epoch;
    },
    greetAgain: () => {
      mustGreet = true;
    },
    isKnown: ({ epoch, g }) => server?.epoch === epoch && base !== undefined && base.g >= g,
  };
}

interface Offer {
  readonly base: SyncBase;
  readonly client: string;
  readonly commits: readonly PushedCommit[];
}

/** What became of a commit that was pushed. */
interface Answer extends PushedId {
  readonly result: PushResult;
}

const otherPrincipal: SyncReason = {
  code: 'OTHER_PRINCIPAL',
  text: 'What waits to be sent was saved by somebody else: it is sent when they are signed in.',
};

const tooLarge: PushResult = { type: 'rejected', code: 'TOO_LARGE', permanent: true };

/** Results come in the order of the commits, and may end before them. */
function match(commits: readonly PushedCommit[], { results }: PushReply): readonly Answer[] {
  if (results.length === 0) throw badReply('no result for a push');
  return results.map(({ commitId, result }, index) => {
    const pushed = commits[index];
    if (pushed?.commit.commandId !== commitId) throw badReply('a result for a commit that was not pushed there');
    return { ...toId(pushed), result };
  });
}

function toId({ commit, digest }: PushedCommit): PushedId {
  return { commandId: commit.commandId, digest };
}

function pick(answers: readonly Answer[], isWanted: (result: PushResult) => boolean): readonly Answer[] {
  return answers.filter(({ result }) => isWanted(result));
}

function isTaken({ type }: PushResult): boolean {
  return type === 'accepted' || type === 'duplicate';
}

/**
 * Whether it will never be taken. `ID_CONFLICT` is only believed at the head: the other commit of that id may be the
 * same one as it was written before, and to pull it confirms it.
 */
function isRefused(result: PushResult, isAtHead: boolean): boolean {
  return result.type === 'rejected' && result.permanent && (isAtHead || result.code !== 'ID_CONFLICT');
}

function toRefusal({ commandId, digest, result }: Answer): PushedId & SyncReason {
  const code = result.type === 'rejected' ? result.code : 'REFUSED';
  return { commandId, digest, code, text: `The server will never take the command "${commandId}": ${code}.` };
}

/** Why a commit was not taken for now. */
function toObstacle({ commandId, result }: Answer): SyncRefusal {
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

function isOver(request: unknown, { bodyBytes }: SyncLimits): boolean {
  return new TextEncoder().encode(JSON.stringify(request)).length > bodyBytes;
}

function isSamePlace(one: SyncPlace, other: SyncPlace): boolean {
  return one.g === other.g && one.oh === other.oh;
}

function badReply(text: string): SyncRefusal {
  return new SyncRefusal('BAD_REPLY', `The server's reply is not one of the protocol: ${text}.`);
}
