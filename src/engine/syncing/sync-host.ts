import type { Refused } from '../../core/receipt.ts';
import { createUpcaster, type Upcaster } from '../../core/upcast.ts';
import type { CheckedCommit } from '../../log/checked-commit.ts';
import type { EventLog } from '../../log/event-log.ts';
import { checkCommit } from '../../log/ordered-commit.ts';
import type { OrderedCommit, SyncedLog, SyncTransaction } from '../../log/synced-log.ts';
import { orderHash } from '../../protocol/commit-digest.ts';
import type { RefusedCommit } from '../../protocol/engine-api.ts';
import { bytesToHex, hexToBytes } from '../../protocol/hex.ts';
import type { PulledPage, PushedId, PushPage, SyncEnv, SyncHost, SyncProgress } from '../../protocol/sync-host.ts';
import type { PushedCommit, PushMode, SyncBase, SyncGuard, SyncPlace } from '../../protocol/sync-messages.ts';
import { storedFilters } from '../current-log.ts';
import type { CommitNote } from './commit-note.ts';
import { type Decider, readNotes, rebase } from './rebase.ts';

/** The engine's side of sync. */
export interface EngineSyncHost extends SyncHost {
  /** Whether a server has said that it has a commit that is not confirmed yet. */
  isAcknowledged(commandId: string): boolean;
  countAcknowledged(): number;
  /** What became of a command that was withdrawn. */
  findRefused(commandId: string): Promise<Refused | undefined>;
  readRefused(): Promise<readonly RefusedCommit[]>;
  /** Forgets what was withdrawn: the app has dealt with it. */
  dropRefused(commandIds: readonly string[]): Promise<void>;
}

export interface SyncHostOptions extends Omit<Decider, 'upcaster'> {
  readonly log: EventLog;
  readonly synced: SyncedLog;
  readonly env: Decider['env'];
  readonly syncEnv: SyncEnv;
  readonly exclusively: SyncHost['exclusively'];
  /** Sets back who follows what is confirmed: the log goes back to that position. */
  readonly setBack: (g: number) => Promise<void>;
  readonly onReport: (progress: SyncProgress) => void;
  /** A receipt may be another one now. */
  readonly onMoved: () => void;
}

/** Commits that are read at a time. */
const pageCommits = 256;

/** What a commit takes in a push besides its own text. */
const envelopeBytes = 300;

export function createSyncHost(options: SyncHostOptions): EngineSyncHost {
  const { app, log, env, synced, syncEnv, exclusively, setBack, onReport, onMoved } = options;
  const decider: Decider = { ...options, upcaster: createUpcaster(app) };
  /** Digests of pending commits that a server has, by command id. */
  const acknowledged = new Map<string, string>();
  /** What was last tried of what is marked: the same marks in the same log come to nothing else. */
  let triedAt = '';
  /** Where the log stood when `acknowledged` was last compared with it. */
  let comparedAt = '';
  /** Everything up to there was held back, in the order at the time. */
  let heldTo = { g: 0, rebases: -1 };
  /** Commits after `g` that an import brought, in the order at the time. */
  let imported = { g: 0, rebases: -1, commits: 0 };
  const write = <Result>(work: (transaction: SyncTransaction) => Promise<Result>) => synced.write(work);
  const look = <Result>(work: (transaction: SyncTransaction) => Promise<Result>) =>
    synced.write(work, { durability: 'relaxed' });

  /** What another tab has confirmed, or what was withdrawn, waits no more: it must not count as what the server has of the rest. */
  async function forgetSettled(transaction: SyncTransaction): Promise<void> {
    const { g } = transaction.base;
    const at = `${g} ${log.order.rebases}`;
    if (at === comparedAt) return;
    for (const commandId of [...acknowledged.keys()]) {
      const events = await transaction.findCommit(commandId);
      if ((events?.at(-1)?.position ?? 0) <= g) acknowledged.delete(commandId);
    }
    comparedAt = at;
  }

  /** Own commits are numbered without a gap: the first that is pending tells how many there are. */
  async function countPending(transaction: SyncTransaction): Promise<number> {
    const { base, client, clientSeq } = transaction;
    const [first] = await transaction.readAfter(base.g, 1);
    if (first === undefined) return 0;
    if (first.commit.client === client) return clientSeq - first.commit.clientSeq + 1;
    // An import makes a new client: all that it wrote since is pending too.
    return clientSeq + (await countImported(transaction));
  }

  /** Read once: from then on what is confirmed is taken off. A rebase makes them commits of this client. */
  async function countImported(transaction: SyncTransaction): Promise<number> {
    const { base, client } = transaction;
    const { rebases } = log.order;
    const isKnown = imported.rebases === rebases && imported.g <= base.g;
    let commits = isKnown ? imported.commits : 0;
    const end = isKnown ? base.g : Number.POSITIVE_INFINITY;
    for (let from = isKnown ? imported.g : base.g; from < end; ) {
      const page = await transaction.readAfter(from, pageCommits);
      const counted = page.filter(({ g, commit }) => g <= end && commit.client !== client);
      commits += isKnown ? -counted.length : counted.length;
      if (counted.length < pageCommits) break;
      from = counted.at(-1)?.g ?? end;
    }
    imported = { g: base.g, rebases, commits };
    return commits;
  }

  /** As long as commits of others are to be recovered, nothing is decided without them. */
  async function defers({ beside }: SyncTransaction): Promise<boolean> {
    return (await beside.count('orphan')) > 0;
  }

  /**
   * Tries what could not be decided again while commits of others were missing, or by this version of the app.
   *
   * @returns where it was tried. Not the count of rebases: this is one too, and two tabs would make each other try for
   * ever.
   */
  async function decideMarked(transaction: SyncTransaction): Promise<string> {
    const { base, beside } = transaction;
    const marked = await beside.ids('marked');
    // What waits for a newer build follows from the log; what was marked besides makes them more.
    const now = (marks: readonly string[]) => `${transaction.end.oh} ${marks.length}`;
    if (marked.length === 0 || now(marked) === triedAt) return triedAt;
    const own = await transaction.readAfter(base.g);
    const notes = await readNotes(transaction, own);
    const first = own.findIndex(({ commit }) => notes.get(commit.commandId)?.mustDecide === true);
    // What still has to wait is marked anew.
    for (const commandId of marked) beside.delete('marked', commandId);
    if (first !== -1) await rebase(transaction, own.slice(first), { from: own[first - 1]?.g ?? base.g }, decider);
    return now(await beside.ids('marked'));
  }

  /** Where the first commit stands that is not held back. What was held back first is offered again first. */
  async function skipHeld(transaction: SyncTransaction, isHeld: (commit: OrderedCommit) => boolean): Promise<number> {
    const { base } = transaction;
    const { rebases } = log.order;
    const [first] = await transaction.readAfter(base.g, 1);
    const isKnown = heldTo.rebases === rebases && first !== undefined && isHeld(first);
    let from = isKnown ? Math.max(heldTo.g, base.g) : base.g;
    for (;;) {
      const page = await transaction.readAfter(from, pageCommits);
      const open = page.findIndex((commit) => !isHeld(commit));
      from = (open === -1 ? page.at(-1)?.g : page[open - 1]?.g) ?? from;
      if (open !== -1 || page.length < pageCommits) break;
    }
    heldTo = { g: from, rebases };
    return from;
  }

  return {
    logId: log.logId,
    app: { name: app.name, version: app.version },
    env: syncEnv,
    readState: () =>
      look(async (transaction) => {
        await forgetSettled(transaction);
        return {
          base: transaction.base,
          client: transaction.client,
          lastClientSeq: transaction.clientSeq,
          pending: await countPending(transaction),
          orphans: await transaction.beside.count('orphan'),
          refused: await transaction.beside.count('refused'),
        };
      }),

    readPush: async ({ limits, principal, isAcknowledged: isKnown }) => {
      let tried = triedAt;
      const found = await look(async (transaction) => {
        const isRecovering = await defers(transaction);
        if (!isRecovering) tried = await decideMarked(transaction);
        const { base, client } = transaction;
        const isHeld = ({ commit, digest }: OrderedCommit) => isKnown({ commandId: commit.commandId, digest });
        const from = await skipHeld(transaction, isHeld);
        const page = await transaction.readAfter(from, Math.min(pageCommits, limits.pushCommits));
        const notes = await readNotes(transaction, page);
        const commits: PushedCommit[] = [];
        const mode: PushMode = page[0] === undefined || page[0].commit.client === client ? 'own' : 'recover';
        let [events, bytes, isOthers, mustWait] = [0, 0, false, false];
        for (const { commit, digest } of page) {
          if (mode === 'recover' && commit.client === client) break;
          const note = notes.get(commit.commandId);
          // Decided again when all that was lost is there; otherwise it was tried, and waits behind all that does not.
          mustWait = note?.mustDecide === true;
          if (mustWait) break;
          if (isKnown({ commandId: commit.commandId, digest })) continue;
          isOthers = note !== undefined && note.principal !== '' && note.principal !== principal;
          if (isOthers) break;
          const guard = toGuard(note, base, decider.upcaster);
          const pushed = { commit, digest, ...(guard === undefined ? {} : { guard }) };
          events += commit.events.length;
          bytes += utf8Length(JSON.stringify(pushed)) + envelopeBytes;
          if (commits.length > 0 && (events > limits.pushEvents || bytes > limits.bodyBytes)) break;
          commits.push(pushed);
        }
        const waitsFor: PushPage['waitsFor'] = isOthers
          ? 'principal'
          : mustWait && !isRecovering
            ? 'version'
            : undefined;
        return { base, client, mode, commits, waitsFor };
      });
      // Stored by now: a transaction that was lost is run again, and looks again.
      triedAt = tried;
      return found;
    },

    applyPage: async (page) => {
      const checked = checkPage(page, log.logId);
      if (typeof checked === 'string') return { status: 'broken', text: checked };
      const { commits: pulled, epoch } = page;
      const outcome = await write(async (transaction) => {
        const { base } = transaction;
        if (!isSamePlace(base, page.base)) return { status: 'stale' } as const;
        const last = pulled.at(-1);
        const end: SyncBase = { epoch, g: last?.g ?? base.g, oh: last?.oh ?? base.oh };
        if (last === undefined) {
          if (base.epoch !== epoch) transaction.setBase(end);
          return { status: 'applied', base: end, renewed: false } as const;
        }
        // Own commits that come as they stand are confirmed where they are. No more is read of them than that: there may
        // be a million.
        const first = await transaction.readAfter(base.g, pulled.length);
        const level = pulled.findIndex(({ oh }, index) => first[index]?.oh !== oh);
        const confirmed = level === -1 ? first : first.slice(0, level);
        const refused = new Set(await transaction.beside.ids('refused'));
        for (const { commit } of confirmed) {
          // An import brought none.
          if (commit.client === transaction.client) transaction.beside.delete('note', commit.commandId);
          if (refused.has(commit.commandId)) transaction.beside.delete('refused', commit.commandId);
        }
        if (level === -1) {
          transaction.setBase(end);
          return { status: 'applied', base: end, renewed: false } as const;
        }
        const from = confirmed.at(-1)?.g ?? base.g;
        const own = await transaction.readAfter(from);
        const rest = checked.slice(level);
        const known = new Set(own.map(({ commit }) => commit.commandId));
        const renewed = rest.some(
          ({ commit: { client, commandId } }) =>
            client === transaction.client && !known.has(commandId) && !refused.has(commandId),
        );
        const change = { from, placed: rest, base: end, renews: renewed, defers: await defers(transaction) };
        await rebase(transaction, own, change, decider);
        return { status: 'applied', base: end, renewed } as const;
      });
      if (outcome.status === 'applied' && pulled.length > 0) {
        for (const { commit } of pulled) acknowledged.delete(commit.commandId);
        onMoved();
      }
      return outcome;
    },

    noteAcknowledged: (commits) => {
      for (const { commandId, digest } of commits) acknowledged.set(commandId, digest);
      if (commits.length > 0) onMoved();
    },

    refuse: async (refusals) => {
      const digests = new Map(refusals.map((refusal) => [refusal.commandId, refusal]));
      await write(async (transaction) => {
        const own = await transaction.readAfter(transaction.base.g);
        const first = own.findIndex((commit) => isMeant(commit, digests));
        if (first === -1) return;
        const meant = own.filter((commit) => isMeant(commit, digests));
        const reasons = new Map(
          meant.map(({ commit: { commandId } }) => {
            const { code = '', text = '' } = digests.get(commandId) ?? {};
            return [commandId, { code, text }];
          }),
        );
        const from = own[first - 1]?.g ?? transaction.base.g;
        await rebase(
          transaction,
          own.slice(first),
          { from, refusals: reasons, defers: await defers(transaction) },
          decider,
        );
      });
      onMoved();
    },

    readPlaces: () => look(readPlaces),

    goBack: async (base, g) => {
      // Another tab was quicker: who has followed it since is not to be told twice.
      if (g >= base.g || !(await look(async (transaction) => isSamePlace(transaction.base, base)))) return;
      await setBack(g);
      await write(async (transaction) => {
        if (!isSamePlace(transaction.base, base)) return;
        const back = await transaction.readAfter(g);
        const confirmed = back.filter((commit) => commit.g <= base.g);
        const foreign = confirmed.filter(({ commit }) => commit.client !== transaction.client);
        const own = back.filter(({ g: at, commit }) => at > base.g || commit.client === transaction.client);
        for (const { g: at, commit, digest } of foreign) {
          transaction.beside.put('orphan', orphanId(at, commit.commandId), { commit, digest });
        }
        await transaction.cutAfter(g);
        transaction.setBase({ epoch: base.epoch, ...transaction.end });
        const lost = foreign.flatMap(({ events }) => events);
        await rebase(transaction, own, { from: g, lost, defers: await defers(transaction) }, decider);
      });
      // Again: one that had read what went back may have saved it in between.
      await setBack(g);
      acknowledged.clear();
      onMoved();
    },

    renewClient: (client) =>
      write(async (transaction) => {
        if (transaction.client !== client) return;
        const own = await transaction.readAfter(transaction.base.g);
        const change = { from: transaction.base.g, renews: true, defers: await defers(transaction) };
        await rebase(transaction, own, change, decider);
      }),

    readOrphans: ({ pushCommits, pushEvents, bodyBytes }) =>
      look(async (transaction) => {
        const found = await transaction.beside.list('orphan', Math.min(pageCommits, pushCommits));
        const commits: PushedCommit[] = [];
        let [events, bytes] = [0, 0];
        for (const [, value] of found) {
          // Written by `goBack`.
          const orphan = value as PushedCommit;
          events += orphan.commit.events.length;
          bytes += utf8Length(JSON.stringify(orphan)) + envelopeBytes;
          if (commits.length > 0 && (events > pushEvents || bytes > bodyBytes)) break;
          commits.push(orphan);
        }
        return commits;
      }),

    settleOrphans: async (taken, refusals) => {
      const reasons = new Map(refusals.map(({ commandId, code, text }) => [commandId, { code, text }]));
      const settled = new Set([...taken.map(({ commandId }) => commandId), ...reasons.keys()]);
      await write(async ({ beside, findCommit }) => {
        // What was offered is among the first: there may be a hundred thousand.
        for (const [id, value] of await beside.list('orphan', pageCommits)) {
          const { commit } = value as PushedCommit;
          const { commandId } = commit;
          if (!settled.has(commandId)) continue;
          beside.delete('orphan', id);
          const reason = reasons.get(commandId);
          if (reason === undefined || (await findCommit(commandId)) !== undefined) continue;
          const refused: RefusedCommit = { commandId, reason, refusedAt: env.now(), commit };
          beside.put('refused', commandId, refused);
        }
      });
    },

    onPending: (listener) => log.onGrowth(listener),
    exclusively,
    report: onReport,

    isAcknowledged: (commandId) => acknowledged.has(commandId),
    countAcknowledged: () => acknowledged.size,
    findRefused: (commandId) =>
      look(async ({ beside }) => {
        const [value] = await beside.get('refused', [commandId]);
        return value === undefined ? undefined : toRefused(value as RefusedCommit);
      }),
    readRefused: () =>
      look(async ({ beside }) =>
        (await beside.list('refused'))
          .map(([, value]) => value as RefusedCommit)
          .sort((one, other) => one.refusedAt - other.refusedAt),
      ),
    dropRefused: (commandIds) =>
      write(async ({ beside }) => {
        for (const commandId of commandIds) beside.delete('refused', commandId);
      }),
  };
}

function toRefused({ commandId, reason, rejection, refusedAt }: RefusedCommit): Refused {
  return { status: 'refused', commandId, reason, ...(rejection === undefined ? {} : { rejection }), refusedAt };
}

function isMeant({ commit, digest }: OrderedCommit, meant: ReadonlyMap<string, PushedId>): boolean {
  return meant.get(commit.commandId)?.digest === digest;
}

/** The epoch is told, not compared. */
function isSamePlace(one: SyncPlace, other: SyncPlace): boolean {
  return one.g === other.g && one.oh === other.oh;
}

/** In order of position. */
function orphanId(g: number, commandId: string): string {
  return `${String(g).padStart(16, '0')} ${commandId}`;
}

/** As the server will see it: what is confirmed here, and own commits before. */
function toGuard(note: CommitNote | undefined, { g }: SyncBase, upcaster: Upcaster): SyncGuard | undefined {
  if (note === undefined) return undefined;
  const revisions = Object.entries(note.decidedOn.revisions).map(([stream, revision]) => ({ stream, revision }));
  // The server knows events by the names under which they were written.
  const filters = storedFilters(note.decidedOn.filters, upcaster);
  if (revisions.length === 0 && filters.length === 0) return undefined;
  return {
    ...(revisions.length === 0 ? {} : { revisions }),
    ...(filters.length === 0 ? {} : { condition: { failIfEventsMatch: filters, after: g } }),
  };
}

/**
 * Everything that a page claims, computed anew: before the transaction, which cannot wait for it. @returns what is wrong
 * with it, or its commits.
 */
function checkPage({ base, commits }: PulledPage, logId: string): string | readonly CheckedCommit[] {
  const checked: CheckedCommit[] = [];
  let { g } = base;
  let oh: Uint8Array = hexToBytes(base.oh);
  for (const pulled of commits) {
    const { commit } = pulled;
    if (commit.logId !== logId) return `The server gave a commit of the log "${commit.logId}".`;
    const one = checkCommit(commit, logId);
    g += commit.events.length;
    oh = orderHash(oh, one.digest, g);
    if (pulled.g !== g || pulled.oh !== bytesToHex(oh)) {
      return `The commit "${commit.commandId}" that the server gave does not follow at position ${g}: it is not what its hash says, or others are missing before it.`;
    }
    checked.push(one);
  }
  return checked;
}

const nearPlaces = 8;

async function readPlaces(transaction: SyncTransaction): Promise<readonly SyncPlace[]> {
  const places: SyncPlace[] = [];
  const { base } = transaction;
  for (let [at, gap] = [base.g, 1]; at > 0; ) {
    // The commit that holds this position: its end is a place, where it is not past the base.
    const [commit] = await transaction.readAfter(at - 1, 1);
    if (commit === undefined) break;
    if (commit.g <= base.g && commit.g !== places.at(-1)?.g) places.push({ g: commit.g, oh: commit.oh });
    if (places.length >= nearPlaces) gap *= 2;
    at = Math.min(at, commit.g - commit.commit.events.length + 1) - gap;
  }
  return [...places, { g: 0, oh: '0'.repeat(64) }];
}

function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length;
}
