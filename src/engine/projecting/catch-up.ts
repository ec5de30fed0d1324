import type { RecordedEvent } from '../../core/events.ts';
import type { RowChange } from '../../core/projection.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { Patch } from '../../protocol/engine-api.ts';
import type { Fold } from './fold.ts';
import type { Projector } from './projector.ts';

/** Keeps the projector up with the log, whoever appended to it. */
export interface CatchUp {
  /** Takes what this worker just appended; reads the log where other tabs appended in between. */
  advance(appended: readonly RecordedEvent[]): Promise<void>;
  /**
   * Goes back to a position behind which the log has another order now. Nothing is published until the rows are at the
   * end of the log again: a page never sees what is pending go and come back. @returns the folds that cannot go back.
   */
  rewind(to: number): readonly Fold[];
  /** Other rows stand in the place of those of this projection: no change says how they came to be. */
  replaced(projection: string): void;
  /** Reads the log to its end. Resolves when everything that was in it at the call is in the rows. */
  toHead(): Promise<void>;
  /** Resolves when the rows are not on their way back to where they were published last. Never rejects. */
  settled(): Promise<void>;
}

/** Rows that went back, and have not been published since. */
interface Undone {
  /** Where the rows stood that were published last. */
  readonly from: number;
  /** By projection, what took its rows back and on again; undefined where only new rows say it. */
  readonly changes: Map<string, RowChange[] | undefined>;
  /** How many events they have taken since. */
  taken: number;
}

/** Events after which rows that went back are published in any case: so much is not pending, and what is new is to be seen. */
const maxTaken = 50_000;

/**
 * `isWanted`: the projections whose row changes `publish` is to get. `onTaken` gets the events that were taken. `renew`
 * is told of projections whose rows have to be published anew.
 */
export function createCatchUp({
  log,
  projector,
  isWanted,
  publish,
  onTaken,
  renew,
}: {
  readonly log: EventLog;
  readonly projector: Projector;
  readonly isWanted: (projection: string) => boolean;
  readonly publish: (patch: Patch) => void;
  readonly onTaken: (events: readonly RecordedEvent[]) => void;
  readonly renew: (projections: readonly string[]) => void;
}): CatchUp {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  let undone: Undone | undefined;

  function apply(events: readonly RecordedEvent[]): boolean {
    const patch = projector.apply(events, isWanted);
    if (patch === undefined) return false;
    if (patch.to === patch.from) return true;
    if (undone === undefined) publish(patch);
    else hold(undone, patch);
    onTaken(events);
    return true;
  }

  function hold(held: Undone, { from, to, changes }: Patch): void {
    for (const [name, before] of held.changes) {
      const more = changes[name];
      // Nobody wanted it at the time.
      if (more === undefined) held.changes.set(name, undefined);
      else for (const change of more) before?.push(change);
    }
    // Built anew meanwhile.
    for (const name of Object.keys(changes)) if (!held.changes.has(name)) held.changes.set(name, undefined);
    held.taken += to - from;
    if (held.taken >= maxTaken) release();
  }

  function release(): void {
    if (undone === undefined) return;
    const { from, changes } = undone;
    undone = undefined;
    const wanted = [...changes].filter(([name]) => isWanted(name));
    const known = wanted.flatMap(([name, all]) => (all === undefined ? [] : [[name, all] as const]));
    publish({ type: 'patch', from, to: projector.position, changes: Object.fromEntries(known), isRebase: true });
    const renewed = wanted.flatMap(([name, all]) => (all === undefined ? [name] : []));
    if (renewed.length > 0) renew(renewed);
  }

  async function readToEnd(): Promise<void> {
    try {
      for (let isStale = true; isStale; ) {
        const { rebases } = log.order;
        // Pages that `advance` overtakes meanwhile are passed over by the projector.
        for await (const page of log.read({ from: projector.position + 1 })) {
          // Read before what is pending was put into another order, or after: begun again from where the rows are now.
          if (log.order.rebases !== rebases) break;
          apply(page);
        }
        isStale = log.order.rebases !== rebases;
      }
    } finally {
      // Where the rest cannot be read, what can be is shown.
      release();
    }
  }

  /** One reader at a time; a call during a read waits for the next one, which sees all that was there at the call. */
  function toHead(): Promise<void> {
    if (running === undefined) {
      running = readToEnd().finally(() => {
        running = undefined;
      });
      return running;
    }
    next ??= running
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        return toHead();
      });
    return next;
  }

  return {
    advance: async (appended) => {
      if (appended.length > 0 && (!apply(appended) || undone !== undefined)) await toHead();
    },
    rewind: (to) => {
      const { position } = projector;
      const { changes, lost } = projector.rewind(to);
      undone ??= { from: position, changes: new Map([...changes.keys()].map((name) => [name, []])), taken: 0 };
      for (const [name, back] of changes) {
        const before = undone.changes.get(name);
        if (back === undefined) undone.changes.set(name, undefined);
        else for (const change of back) before?.push(change);
      }
      for (const { projection } of lost) undone.changes.delete(projection.name);
      return lost;
    },
    replaced: (projection) => void undone?.changes.set(projection, undefined),
    toHead,
    settled: async () => {
      if (undone !== undefined) await toHead().catch(() => undefined);
    },
  };
}
