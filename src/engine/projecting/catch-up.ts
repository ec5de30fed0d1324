import type { RecordedEvent } from '../../core/events.ts';
import type { EventLog } from '../../log/event-log.ts';
import type { Patch } from '../../protocol/engine-api.ts';
import type { Projector } from './projector.ts';

/** Keeps the projector up with the log, whoever appended to it. */
export interface CatchUp {
  /** Takes what this worker just appended; reads the log where other tabs appended in between. */
  advance(appended: readonly RecordedEvent[]): Promise<void>;
  /** Reads the log to its end. Resolves when everything that was in it at the call is in the rows. */
  toHead(): Promise<void>;
}

/** `isWanted`: the projections whose row changes `publish` is to get, with the events that made them. */
export function createCatchUp(
  log: EventLog,
  projector: Projector,
  isWanted: (projection: string) => boolean,
  publish: (patch: Patch, events: readonly RecordedEvent[]) => void,
): CatchUp {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  function apply(events: readonly RecordedEvent[]): boolean {
    const patch = projector.apply(events, isWanted);
    if (patch !== undefined && patch.to > patch.from) publish(patch, events);
    return patch !== undefined;
  }

  async function readToEnd(): Promise<void> {
    // Pages that `advance` overtakes meanwhile are passed over by the projector.
    for await (const page of log.read({ from: projector.position + 1 })) apply(page);
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
      if (appended.length > 0 && !apply(appended)) await toHead();
    },
    toHead,
  };
}
