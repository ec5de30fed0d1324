import { type Failure, FailureError } from '../../core/errors.ts';
import type { Refused } from '../../core/receipt.ts';
import { createUpcaster } from '../../core/upcast.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { WriteOptions } from '../../log/log-write.ts';
import type { OrderedCommit, SyncedLog, SyncTransaction } from '../../log/synced-log.ts';
import type { RefusedCommit } from '../../protocol/engine-api.ts';
import type { SyncEnv, SyncHost, SyncProgress } from '../../protocol/sync-host.ts';
import { isSamePlace } from '../../protocol/sync-place.ts';
import { createAcknowledged } from './acknowledged.ts';
import { applyPage } from './apply-page.ts';
import { checkPage } from './check-page.ts';
import { createPendingCount } from './count-pending.ts';
import { goBack } from './go-back.ts';
import { countOrphans, readOrphans, settleOrphans } from './orphans.ts';
import { readPlaces } from './places.ts';
import { createPushReader } from './read-push.ts';
import { type Decider, rebase } from './rebase.ts';
import { findRefused, listRefused } from './refused-commits.ts';

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
  /** The log is not what was opened any more: nobody else may ask it for long. */
  readonly onFailure: (failure: Failure) => void;
}

/** All others are sync's own problem, and may pass. */
const endsOpening: ReadonlySet<Failure['type']> = new Set(['storage.replaced', 'storage.reset']);

type Work<Result> = (transaction: SyncTransaction) => Promise<Result>;

export function createSyncHost(options: SyncHostOptions): EngineSyncHost {
  const { app, log, env, synced, syncEnv, exclusively, setBack, onReport, onMoved, onFailure } = options;
  const decider: Decider = { ...options, upcaster: createUpcaster(app) };
  const acknowledged = createAcknowledged(log);
  const countPending = createPendingCount(log);
  const look = <Result>(work: Work<Result>) => write(work, { durability: 'relaxed' });

  async function write<Result>(work: Work<Result>, writeOptions?: WriteOptions): Promise<Result> {
    try {
      return await synced.write(work, writeOptions);
    } catch (error) {
      if (error instanceof FailureError && endsOpening.has(error.failure.type)) onFailure(error.failure);
      throw error;
    }
  }

  return {
    logId: log.logId,
    app: { name: app.name, version: app.version },
    env: syncEnv,
    readState: () =>
      look(async (transaction) => {
        const { base, client, clientSeq, beside } = transaction;
        await acknowledged.forgetSettled(transaction);
        return {
          base,
          client,
          lastClientSeq: clientSeq,
          pending: await countPending(transaction),
          orphans: await countOrphans(beside),
          refused: await beside.count('refused'),
        };
      }),

    readPush: createPushReader({ log, decider, look }),
    noteAcknowledged: (ids) => {
      acknowledged.add(ids);
      if (ids.length > 0) onMoved();
    },

    applyPage: async (page) => {
      const checked = checkPage(page, log.logId);
      if (typeof checked === 'string') return { status: 'broken', text: checked };
      const outcome = await write((transaction) => applyPage(transaction, page, checked, decider));
      if (outcome.status === 'applied' && page.commits.length > 0) {
        acknowledged.delete(page.commits.map(({ commit }) => commit.commandId));
        onMoved();
      }
      return outcome;
    },

    refuse: async (refused) => {
      const reasons = new Map(refused.map((refusal) => [refusal.commandId, refusal]));
      await write(async (transaction) => {
        const { base } = transaction;
        const own = await transaction.readAfter(base.g);
        const isMeant = ({ commit, digest }: OrderedCommit) => reasons.get(commit.commandId)?.digest === digest;
        const first = own.findIndex(isMeant);
        if (first === -1) return;
        const refusals = new Map(
          own.filter(isMeant).map(({ commit: { commandId } }) => {
            const { code = '', text = '' } = reasons.get(commandId) ?? {};
            return [commandId, { code, text }];
          }),
        );
        await rebase(transaction, own.slice(first), { from: own[first - 1]?.g ?? base.g, refusals }, decider);
      });
      onMoved();
    },

    readPlaces: () => look(readPlaces),
    goBack: async (base, g) => {
      // Another tab was quicker: who has followed it since is not to be told twice.
      if (g >= base.g || !(await look(async (transaction) => isSamePlace(transaction.base, base)))) return;
      await setBack(g);
      await write(async (transaction) => {
        if (isSamePlace(transaction.base, base)) await goBack(transaction, g, decider);
      });
      // Again: one that had read what went back may have saved it in between.
      await setBack(g);
      acknowledged.clear();
      onMoved();
    },

    renewClient: (client) =>
      write(async (transaction) => {
        if (transaction.client !== client) return;
        const { g } = transaction.base;
        await rebase(transaction, await transaction.readAfter(g), { from: g, renews: true }, decider);
      }),

    readOrphans: (limits) => look(({ beside }) => readOrphans(beside, limits)),
    settleOrphans: (taken, refusals) => write((transaction) => settleOrphans(transaction, taken, refusals, env.now())),

    onPending: (listener) => log.onGrowth(listener),
    exclusively,
    report: onReport,

    isAcknowledged: (commandId) => acknowledged.has(commandId),
    countAcknowledged: () => acknowledged.count,
    findRefused: (commandId) => look(({ beside }) => findRefused(beside, commandId)),
    readRefused: () => look(({ beside }) => listRefused(beside)),
    dropRefused: (commandIds) =>
      write(async ({ beside }) => {
        for (const commandId of commandIds) beside.delete('refused', commandId);
      }),
  };
}
