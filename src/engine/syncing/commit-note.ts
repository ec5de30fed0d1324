import { matchesFilter } from '../../core/event-query.ts';
import type { RecordedEvent } from '../../core/events.ts';
import type { Upcaster } from '../../core/upcast.ts';
import type { ExecuteRequest } from '../../protocol/engine-api.ts';
import { storedFilters } from '../current-log.ts';
import type { DecidedOn } from '../group.ts';

/** What is kept beside a commit as long as it is pending: all that it takes to decide it again. Plain data. */
export interface CommitNote {
  readonly request: ExecuteRequest;
  readonly decidedOn: DecidedOn;
  /** Ids that the decision drew: it gets the same again, so that the same outcome has the same bytes. */
  readonly drawn: readonly string[];
  /** Who was signed in; empty where nobody is told apart. */
  readonly principal: string;
  /** Of the app that decided it (`defineApp`). */
  readonly version: number;
  /** It has to be decided again, and could not be yet: commits that it may depend on are to be recovered, or a newer build can. */
  readonly mustDecide?: true;
}

export function toCommitNote(
  { commandId, commands, decision, expectedRevision, correlationId, causationId }: ExecuteRequest,
  made: Pick<CommitNote, 'decidedOn' | 'drawn' | 'principal' | 'version'>,
): CommitNote {
  const request: ExecuteRequest = {
    commandId,
    commands,
    ...(decision === undefined ? {} : { decision }),
    ...(expectedRevision === undefined ? {} : { expectedRevision }),
    ...(correlationId === undefined ? {} : { correlationId }),
    ...(causationId === undefined ? {} : { causationId }),
  };
  return { request, ...made };
}

/** Events that came, or went, before what is pending. */
export interface Disturbance {
  add(events: readonly RecordedEvent[]): void;
  /** Whether something was decided on what is other now. */
  hits(decidedOn: DecidedOn): boolean;
}

export function createDisturbance(upcaster: Upcaster): Disturbance {
  const streams = new Set<string>();
  const events: RecordedEvent[] = [];
  return {
    add: (added) => {
      for (const event of added) {
        streams.add(event.stream);
        events.push(event);
      }
    },
    hits: ({ revisions, filters }) =>
      Object.keys(revisions).some((stream) => streams.has(stream)) ||
      // Events as they are stored: a type may have had another name.
      storedFilters(filters, upcaster).some((filter) => events.some((event) => matchesFilter(event, filter))),
  };
}
