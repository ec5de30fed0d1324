import type { Process, Step } from '../../core/process.ts';
import type { Instance, SetDeadline } from '../../log/checkpoint-store.ts';

/** What a step follows from. */
export interface Cause {
  readonly causationId: string;
  readonly correlationId: string;
}

export function stateOf(process: Process, { state }: Instance): unknown {
  return Object.freeze(state === undefined ? process.initialState() : state);
}

/**
 * The instance after a step; the same one where nothing of it changes.
 *
 * Throws where the process answers with a deadline that it cannot be called at.
 */
export function applyStep(process: Process, instance: Instance, step: Step, cause: Cause): Instance {
  const { state, deadlines = {} } = step;
  const set = new Map<string, SetDeadline>(Object.entries(instance.deadlines));
  for (const [name, at] of Object.entries(deadlines)) {
    checkDeadline(process, name, at);
    if (at === null) set.delete(name);
    else if (at !== undefined)
      set.set(name, { at, causationId: cause.causationId, correlationId: cause.correlationId });
  }
  if (state === null) return { key: instance.key, deadlines: {} };
  if (state === undefined && Object.keys(deadlines).length === 0) return instance;
  const next = state === undefined ? instance.state : Object.freeze(state);
  return { key: instance.key, ...(next === undefined ? {} : { state: next }), deadlines: Object.fromEntries(set) };
}

function checkDeadline(process: Process, name: string, at: number | null | undefined): void {
  if (!process.deadlines.includes(name)) {
    throw new Error(
      `The process "${process.name}" answered with a deadline "${name}", for which it has no handler. Add it to its deadlines`,
    );
  }
  if (typeof at === 'number' && !Number.isFinite(at)) {
    throw new Error(
      `The process "${process.name}" answered with a deadline "${name}" at ${at}. Give milliseconds since 1970`,
    );
  }
}
