import type { Command } from './command.ts';
import type { AnyEvent, EventSet, RecordedEvent, RecordedEventOf, UnionOfSets } from './events.ts';
import type { Receipt } from './receipt.ts';
import { requireName } from './stream-id.ts';

/** Which events are a new consumer's business: those that are stored after it was first started, or all there are. */
export type StartAt = 'end' | 'beginning';

/** What a reactor's handler may use besides the event. */
export interface ReactorContext {
  /** Aborted when the worker stops: hand it to whatever waits. The event then comes again. */
  readonly signal: AbortSignal;
  /**
   * Sends commands as one commit that names the event as its cause. Sent again for the same event, the same commands
   * happen once; to tell two that are alike apart, give each a command id.
   */
  readonly execute: (
    commands: Command | readonly Command[],
    options?: { readonly commandId?: string },
  ) => Promise<Receipt>;
}

/** Side effects after a commit: runs in one tab of a browser at a time, event after event, and remembers how far it came. */
export interface Reactor<Name extends string = string> {
  readonly kind: 'reactor';
  readonly name: Name;
  readonly events: EventSet;
  /** The types that it has a handler for. */
  readonly eventTypes: readonly string[];
  readonly startAt: StartAt;
  onEvent(event: RecordedEvent, context: ReactorContext): unknown;
}

/**
 * Declares side effects that follow from events, after they are on disk.
 *
 * Each event comes at least once and in order, in whichever tab runs the reactors. It comes again where the worker died
 * before it was noted as done, so `event.id` is the key by which the other side knows a repetition. A handler that
 * throws or rejects is tried again, later and later; until it succeeds, this reactor waits, and the status says so. So
 * it does before an event that this build of the app cannot read.
 * Rebuilding projections, or opening the app on another day, repeats nothing.
 *
 * A new reactor, and every reactor after an import, starts with what is stored from then on, unless `startAt` is
 * `'beginning'`.
 *
 * ### Example
 * ```ts
 * const Mail = defineReactor('welcomeMail', {
 *   from: [AccountEvents],
 *   on: {
 *     Opened: async (event, { signal }) => {
 *       await fetch('/mail', { method: 'POST', signal, headers: { 'idempotency-key': event.id } });
 *     },
 *   },
 * });
 * ```
 */
export function defineReactor<const Name extends string, Sets extends readonly EventSet[]>(
  name: Name,
  definition: {
    readonly from: readonly [...Sets];
    readonly startAt?: StartAt;
    readonly on: {
      readonly [Type in keyof UnionOfSets<Sets>]?: (
        event: RecordedEventOf<UnionOfSets<Sets>, Type>,
        context: ReactorContext,
      ) => unknown;
    };
  },
): Reactor<Name> {
  requireName('reactor', name);
  // Erased once, here: the compiler checked the handlers against the declared events at the call.
  const handlers = definition.on as unknown as Record<
    string,
    (event: AnyEvent<Sets>, context: ReactorContext) => unknown
  >;
  return {
    kind: 'reactor',
    name,
    events: Object.assign({}, ...definition.from),
    eventTypes: Object.keys(handlers),
    startAt: definition.startAt ?? 'end',
    onEvent: (event, context) => handlers[event.type]?.(event as AnyEvent<Sets>, context),
  };
}
