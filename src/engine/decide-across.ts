import type { App } from '../core/app.ts';
import type { Receipt } from '../core/receipt.ts';
import { type InvalidInput, reject } from '../core/rejection.ts';
import { streamIdToId, toStreamId } from '../core/stream-id.ts';
import type { View } from '../core/view.ts';
import type { ExecuteRequest } from '../protocol/engine-api.ts';
import { appendEvents, type Group, isRejection, noDecision, toReceipt, toStreamEvent } from './group.ts';
import { runRule } from './run-rule.ts';
import { createViewCache } from './view-cache.ts';

/** Decides across streams; loaded only where an app has such decisions. */
export interface DecideAcross {
  (request: ExecuteRequest, decision: NonNullable<ExecuteRequest['decision']>, group: Group): Promise<Receipt>;
  /** Forgets the states that were folded. */
  forget(): void;
}

/**
 * Reads what a decision's views read in the transaction that appends: what is decided on is what is stored, and no
 * other tab can come in between.
 */
export function createDecideAcross(app: App): DecideAcross {
  const cache = createViewCache();

  async function loadView(view: View, { transaction, afterCommit }: Group): Promise<unknown> {
    const known = cache.get(view);
    // A known state that is ahead belongs to a log that is no more.
    const start =
      known !== undefined && known.position <= transaction.head
        ? known
        : { state: runRule(view.initialState), position: 0 };
    let { state } = start;
    for (const event of await transaction.readMatching([view.filter], start.position))
      state = runRule(view.evolve, state, event);
    const position = transaction.head;
    afterCommit.push(() => cache.set(view, { state, position }));
    return state;
  }

  async function decide(
    request: ExecuteRequest,
    { name, input }: NonNullable<ExecuteRequest['decision']>,
    group: Group,
  ): Promise<Receipt> {
    const { commandId } = request;
    const decision = app.decisions.get(name);
    if (decision === undefined) throw new Error(noDecision(app, name));
    const parsed = runRule(decision.parseInput, input);
    if (!parsed.ok) {
      const rejection: InvalidInput = reject('invalid-input', { issues: parsed.issues });
      return { status: 'rejected', commandId, rejection, command: 0 };
    }
    const { now: readClock, newId } = group.env;
    const now = readClock();
    const views = Object.entries(runRule(decision.reads, parsed.value));
    const states: Record<string, unknown> = {};
    for (const [key, view] of views) states[key] = await loadView(view, group);
    const stream = runRule(decision.streamOf, parsed.value) ?? toStreamId(name, commandId);
    const context = { id: streamIdToId(stream), now, newId };
    const decided = runRule(decision.decide, parsed.value, states, context);
    if (isRejection(decided)) return { status: 'rejected', commandId, rejection: decided, command: 0 };
    const events = ('type' in decided ? [decided] : decided).map((event) =>
      toStreamEvent(event, stream, decision.events, `The decision "${name}"`),
    );
    const filters = decision.onConflict === 'keep' ? [] : views.map(([, view]) => view.filter);
    const decidedOn = { revisions: {}, filters };
    const recorded = events.length === 0 ? [] : await appendEvents(request, events, now, decidedOn, group);
    return toReceipt(request, recorded, group, stream);
  }

  return Object.assign(decide, { forget: cache.clear });
}
