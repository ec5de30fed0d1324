import type { SyncHost, SyncReason, SyncState } from '../protocol/sync-host.ts';
import {
  type HelloReply,
  type PullReply,
  type PushedCommit,
  type PushMode,
  type SyncBase,
  type SyncLimits,
  type SyncPlace,
  syncProtocol,
} from '../protocol/sync-messages.ts';
import { isSamePlace } from '../protocol/sync-place.ts';
import type { Acknowledgements } from './acknowledgements.ts';
import { type Answer, isRefused, isTaken, match, pick, toId, toObstacle, tooLarge, toRefusal } from './answers.ts';
import { badReply, codeOf, maxReplyBytes, type SyncCall, SyncRefusal, type SyncTransport } from './transport.ts';
import { requestMs, type Turn } from './turn.ts';

/** Between whom a cycle goes. */
export interface Parties {
  readonly host: SyncHost;
  readonly transport: SyncTransport;
  readonly principal: () => string;
}

/** What is remembered from one cycle to the next. */
export interface Memory {
  readonly acknowledged: Acknowledgements;
  server: HelloReply | undefined;
  mustGreet: boolean;
  base: SyncBase | undefined;
  /** Of what the server takes and gives at most: halved after a push that was too large, or an answer that was too slow. */
  share: number;
  /** How many times as long as others a request may take: one commit goes whole, however slow the line. */
  readonly patience: { pull: number; push: number };
}

/** Refusals and recoveries in a row after which it waits: two that never agree must not keep each other busy. */
const maxMends = 16;
/** In one cycle: two servers of different histories behind one address would send it back for ever. */
const maxReturns = 3;

/** A server counts its commits only: with what it writes around them, and a last one that is large, it must fit a reply. */
const maxPageBytes = maxReplyBytes / 2;

/** Each success makes the share so much larger: what was too much is tried again after some ten of them. */
const shareGrowth = 1 / 16;
/** Of a page that is too slow it is not made smaller than this. */
const minShare = 1 / 64;

/** From this share on it is not the size of a page that takes so long. */
const smallShare = 1 / 4;
/** Four minutes: 15 MiB, the largest commit, at half a megabit a second. */
const maxPatience = 8;

/**
 * One cycle: hello, pull to the head, push, offer what a restored server has lost, and so on until nothing is left.
 *
 * Throws what is in the way. What stood in the way of the last push, and is to be waited with, is thrown again after the
 * pull: what others wrote comes all the same.
 * @returns why it is not all, where it has done what it may.
 */
export function runCycle(
  { host, transport, principal }: Parties,
  memory: Memory,
  { step, ask }: Turn,
  waiting?: SyncRefusal,
): Promise<SyncReason | undefined> {
  const { logId, app } = host;
  const { acknowledged } = memory;
  /** Since it last got on. */
  let mends = 0;
  let returns = 0;
  /** A guard may hold on what is there now. */
  let hasPulled = false;
  /** As a hello has just told. */
  let head: SyncPlace | undefined;

  const inName = (signal: AbortSignal): SyncCall => ({ signal, principal: principal() });

  async function run(): Promise<SyncReason | undefined> {
    for (;;) {
      try {
        await greet();
        await pullToHead();
        if (waiting !== undefined && !(hasPulled && waiting.code === 'CONFLICT')) throw waiting;
        const state = await step(host.readState());
        const pushed = await pushOwn(state);
        if (pushed === 'some' || (await offerOrphans(state))) continue;
        if (pushed !== 'none') return waitsFor[pushed];
        // What was left may have been withdrawn as it was looked at.
        if (state.pending > 0 && (await step(host.readState())).pending > 0)
          throw new SyncRefusal('UNCONFIRMED', 'The server took commits and does not show them.');
        return undefined;
      } catch (error) {
        await mend(error);
      }
    }
  }

  async function greet(): Promise<void> {
    if (!memory.mustGreet) return;
    const { base, client, lastClientSeq } = await step(host.readState());
    memory.base = base;
    const reply = await ask((signal) =>
      transport.hello(
        { proto: [syncProtocol, syncProtocol], app, log: logId, client, base, lastClientSeq },
        inName(signal),
      ),
    );
    if (reply.proto !== syncProtocol) throw badReply(`it speaks version ${reply.proto} of the protocol`);
    // What another server has answered is nothing to this one.
    if (memory.server?.epoch !== reply.epoch) acknowledged.clear();
    memory.server = reply;
    memory.mustGreet = false;
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
    memory.mustGreet = true;
  }

  function count(obstacle: unknown): void {
    mends += 1;
    if (mends > maxMends) throw obstacle;
  }

  async function goBack(): Promise<void> {
    acknowledged.clear();
    const state = await step(host.readState());
    const points = await step(host.readPlaces());
    const { g } = await ask((signal) => transport.common({ log: logId, points }, inName(signal)));
    if (g !== 0 && !points.some((point) => point.g === g)) throw badReply(`the place ${g} was not asked for`);
    await step(host.goBack(state.base, g));
  }

  async function pullToHead(): Promise<void> {
    const { base } = await step(host.readState());
    memory.base = base;
    const told = head;
    head = undefined;
    // What a hello has told is as good as an empty page.
    if (told !== undefined && isSamePlace(told, base)) return;
    for (let page: AskedPage | undefined = askPage(base); page !== undefined; ) page = await takePage(page);
  }

  function askPage(from: SyncBase): AskedPage {
    const { limits, epoch } = requireServer();
    const { pageEvents: limit, pageBytes: maxBytes } = shareOf(limits);
    const reply = askMuch('pull', (signal) =>
      transport.pull({ log: logId, base: from, limit, maxBytes }, inName(signal)),
    );
    // Nobody waits for it where the page before it is not applied.
    reply.catch(() => undefined);
    return { from, epoch, reply };
  }

  /** Applies a page, while the next one is on its way. @returns that; undefined at the head. */
  async function takePage({ from, epoch, reply: asked }: AskedPage): Promise<AskedPage | undefined> {
    const reply = await asked;
    if (!isSamePlace(reply.base, from)) throw badReply('a page for another base than was asked for');
    const last = reply.commits.at(-1);
    if (last === undefined) {
      if (!isSamePlace(reply.head, from)) throw badReply('an empty page before the head');
      return undefined;
    }
    const next = last.g < reply.head.g ? askPage({ epoch, g: last.g, oh: last.oh }) : undefined;
    const outcome = await step(host.applyPage({ base: from, epoch, commits: reply.commits }));
    if (outcome.status === 'broken') throw badReply(outcome.text);
    if (outcome.status === 'stale') {
      // Another tab was quicker.
      count(new SyncRefusal('STALE', 'The log moved on under every page that was pulled.'));
      const { base } = await step(host.readState());
      memory.base = base;
      return askPage(base);
    }
    mends = 0;
    hasPulled = true;
    memory.base = outcome.base;
    acknowledged.forget(reply.commits.map(({ commit }) => commit.commandId));
    return next;
  }

  /** One batch. */
  async function pushOwn({ pending }: SyncState): Promise<'some' | 'none' | 'principal' | 'version'> {
    if (pending === 0) return 'none';
    const who = principal();
    const page = await step(
      host.readPush({
        limits: shareOf(requireServer().limits),
        principal: who,
        isAcknowledged: (id) => acknowledged.has(id),
      }),
    );
    if (page.commits.length === 0) return page.waitsFor ?? 'none';
    // Before what is taken now counts.
    const isAllOffered = acknowledged.isEmpty;
    const { answers, head: placedAt } = await offer(page, page.mode, who);
    const isAtHead = isSamePlace(placedAt, page.base);
    const taken = pick(answers, isTaken);
    const refused = pick(answers, (result) => isRefused(result, isAtHead));
    if (taken.length > 0) {
      mends = 0;
      acknowledged.add(taken);
      host.noteAcknowledged(taken);
    }
    if (refused.length > 0) await step(host.refuse(refused.map(toRefusal)));
    // What comes behind it was looked at without it.
    const stop = answers.find(({ result }) => !isTaken(result));
    if (stop !== undefined) {
      const isFirst = page.commits[0]?.commit.clientSeq === 1;
      await getOver(stop, { client: page.client, isFirst, isAtHead, isAllOffered, hasTaken: taken.length > 0 });
    }
    return 'some';
  }

  /** Does what lets the first commit that was not taken be offered again, or go; throws where it has to be waited with. */
  async function getOver(stop: Answer, { client, isFirst, isAtHead, isAllOffered, hasTaken }: Offered): Promise<void> {
    const { result } = stop;
    const obstacle = toObstacle(stop);
    if (result.type === 'retry' || (result.type === 'rejected' && !result.permanent)) {
      // Nothing behind it can be placed before it. What was taken before it does not wait.
      if (hasTaken) await pullToHead();
      throw obstacle;
    }
    // It may follow from a commit that the server took and has lost.
    const mayFollow = !isAllOffered && (result.type === 'gap' || result.type === 'conflict');
    if (mayFollow) acknowledged.clear();
    // No pull can change what it says of the very place that the push was made from.
    else if (result.type === 'conflict' && isAtHead) throw obstacle;
    // Nobody has what a client's first commit follows.
    else if (result.type === 'gap' && isFirst) throw obstacle;
    count(obstacle);
    // A gap that nothing fills: what was there before is nowhere any more, or stands behind what follows it.
    if (result.type === 'forked' || (result.type === 'gap' && !mayFollow)) {
      // What this client has on the server keeps its stamp: it has to be confirmed before the rest is written anew.
      await pullToHead();
      await step(host.renewClient(client));
    }
  }

  /** @returns whether there was something to offer. */
  async function offerOrphans({ orphans, client }: SyncState): Promise<boolean> {
    const { base } = memory;
    if (orphans === 0 || base === undefined) return false;
    const commits = await step(host.readOrphans(shareOf(requireServer().limits)));
    if (commits.length === 0) return false;
    const { answers } = await offer({ base, client, commits }, 'recover', principal());
    // An answer may be lost with the server that gave it: they are let go when they are confirmed.
    await pullToHead();
    const refused = pick(answers, (result) => isRefused(result, true));
    await step(host.settleOrphans(pick(answers, isTaken), refused.map(toRefusal)));
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
        const reply = await askMuch('push', (signal) => transport.push(request, { signal, principal: who }));
        if (!isSamePlace(reply.base, from)) throw badReply('results for another base than was pushed from');
        return { answers: match(request.commits, reply), head: reply.head };
      } catch (error) {
        const only = size === 1 ? commits[0] : undefined;
        if (codeOf(error) !== 'TOO_LARGE' || (only !== undefined && !isOver(request, limits))) throw error;
        // It would be in the way of all behind it for ever.
        if (only !== undefined) return { answers: [{ ...toId(only), result: tooLarge }], head: from };
        memory.share = size / 2 / limits.pushCommits;
      }
    }
  }

  /** On a line that is too slow for a whole page, half a page gets through; and for one commit, with more time. */
  async function askMuch<Value>(
    route: keyof Memory['patience'],
    call: (signal: AbortSignal) => Promise<Value>,
  ): Promise<Value> {
    const { patience } = memory;
    const askedAt = host.env.now();
    try {
      const value = await ask(call, patience[route]);
      memory.share = Math.min(1, memory.share * (1 + shareGrowth));
      // The next one may need as long.
      if (Math.abs(host.env.now() - askedAt) < requestMs) patience[route] = 1;
      return value;
    } catch (error) {
      if (codeOf(error) !== 'TIMEOUT') throw error;
      if (memory.share <= smallShare) patience[route] = Math.min(maxPatience, 2 * patience[route]);
      memory.share = Math.min(memory.share, Math.max(minShare, memory.share / 2));
      throw error;
    }
  }

  function requireServer(): HelloReply {
    if (memory.server === undefined) throw new Error('Sync speaks to a server before its hello.');
    return memory.server;
  }

  function shareOf(limits: SyncLimits): SyncLimits {
    const part = (limit: number) => Math.max(1, Math.round(limit * memory.share));
    return {
      ...limits,
      bodyBytes: part(limits.bodyBytes),
      pushCommits: part(limits.pushCommits),
      pushEvents: part(limits.pushEvents),
      pageEvents: part(limits.pageEvents),
      pageBytes: part(Math.min(limits.pageBytes, maxPageBytes)),
    };
  }

  return run();
}

/** A page that is on its way. */
interface AskedPage {
  readonly from: SyncBase;
  /** Of the server that was asked. */
  readonly epoch: string;
  readonly reply: Promise<PullReply>;
}

/** How a push was made that was not taken whole. */
interface Offered {
  readonly client: string;
  /** Whether it begins with the client's first commit of all. */
  readonly isFirst: boolean;
  /** Whether the server's log ended where the push was made from. */
  readonly isAtHead: boolean;
  /** Whether nothing was held back. */
  readonly isAllOffered: boolean;
  readonly hasTaken: boolean;
}

interface Offer {
  readonly base: SyncBase;
  readonly client: string;
  readonly commits: readonly PushedCommit[];
}

const waitsFor: Readonly<Record<'principal' | 'version', SyncReason>> = {
  principal: {
    code: 'OTHER_PRINCIPAL',
    text: 'What comes next was saved by somebody else: it is sent when they are signed in here, and what was saved after it waits so long.',
  },
  version: {
    code: 'UPGRADE_REQUIRED',
    text: 'What waits to be sent has to be decided again, and a newer version of the app saved it, or what it is decided on. It is kept, and sent by that version: reload the page to get it.',
  },
};

function isOver(request: unknown, { bodyBytes }: SyncLimits): boolean {
  return new TextEncoder().encode(JSON.stringify(request)).length > bodyBytes;
}
