import type { RecordedEvent } from '../../core/events.ts';
import type { Process, Step } from '../../core/process.ts';
import type { DueDeadline, Instance } from '../../log/checkpoint-store.ts';
import type { ConsumerTools, ConsumerWork, Progress } from './consumer-work.ts';
import { eventText, toCommandId } from './lineage.ts';
import { applyStep, type Cause, stateOf } from './process-step.ts';

/** What a step follows from, and how the ids of its commands begin. */
interface Origin extends Cause {
  readonly idParts: readonly [string, ...(string | number)[]];
}

/** Events whose instances are loaded, and saved, together. */
const sliceLength = 200;

/** Rejections that are answered with commands that are rejected in turn. */
const maxRejections = 10;

/**
 * Asks a process what follows from events and deadlines, and does it: first the commands, then what it knows is saved.
 *
 * Where the worker dies in between, it is asked again with what was saved, answers the same, and the log drops the
 * commands that it has.
 */
export function createProcessWork(process: Process, tools: ConsumerTools): ConsumerWork {
  const { app, env, execute } = tools;
  const about = `the process "${process.name}"`;

  /** Does what a step says. @returns the instance as it is then, and whether anything was sent. */
  async function follow(
    instance: Instance,
    step: Step,
    cause: Origin,
    noteRejection: Progress['noteRejection'],
    depth = 0,
  ): Promise<{ readonly instance: Instance; readonly sent: boolean }> {
    const { commands = [] } = step;
    for (const { aggregate } of commands) {
      if (app.aggregates.has(aggregate)) continue;
      throw new Error(
        `The process "${process.name}" answered with a command of the aggregate "${aggregate}", which the app "${app.name}" does not have. Add it to defineApp`,
      );
    }
    let next = applyStep(process, instance, step, cause);
    const receipts = await Promise.all(
      commands.map((command, index) =>
        execute({
          commandId: toCommandId([...cause.idParts, index]),
          commands: [command],
          causationId: cause.causationId,
          correlationId: cause.correlationId,
        }),
      ),
    );
    for (const receipt of receipts) if (receipt.status === 'failed') throw new Error(receipt.failure.text);
    for (const [index, receipt] of receipts.entries()) {
      const command = commands[index];
      if (receipt.status !== 'rejected' || command === undefined) continue;
      const { rejection } = receipt;
      const what = `The command "${command.name}" to "${command.aggregate}-${command.id}", which ${about} sent, was rejected with "${rejection.code}"`;
      noteRejection(`${what}. It is not tried again: handle it in onRejected.`);
      if (depth === maxRejections) throw new Error(`${what}, as were the ${maxRejections} before it that followed`);
      const id = instance.key;
      const answer = process.onRejected(stateOf(process, next), { command, rejection }, { id });
      const idParts = [...cause.idParts, index, 'rejected'] as const;
      ({ instance: next } = await follow(next, answer, { ...cause, idParts }, noteRejection, depth + 1));
    }
    return { instance: next, sent: commands.length > 0 };
  }

  /** The instances that events belong to, up to the first event that the process throws on: those before it come first. */
  function keysOf(events: readonly RecordedEvent[], progress: Progress): readonly string[] {
    const keys: string[] = [];
    for (const event of events) {
      try {
        keys.push(process.keyOf(event));
      } catch (error) {
        if (keys.length > 0) break;
        progress.begin(eventText(event));
        throw error;
      }
    }
    return keys;
  }

  /** @returns how many of the events it has taken: one at least. */
  async function takeSlice(events: readonly RecordedEvent[], progress: Progress): Promise<number> {
    const keys = keysOf(events, progress);
    const wanted = [...new Set(keys)];
    const found = await progress.load(wanted);
    const instances = new Map(wanted.map((key, index) => [key, found[index] ?? { key, deadlines: {} }]));
    const changed = new Map<string, Instance>();
    let { position } = progress;
    const save = async () => {
      await progress.save(position, [...changed.values()]);
      changed.clear();
    };
    try {
      for (const [index, event] of events.slice(0, keys.length).entries()) {
        if (progress.signal.aborted) break;
        progress.begin(eventText(event));
        const id = keys[index] ?? '';
        const before = instances.get(id) ?? { key: id, deadlines: {} };
        const step = process.onEvent(stateOf(process, before), event, { id });
        const cause = { causationId: event.id, correlationId: event.meta.correlationId };
        const idParts = [process.name, event.id] as const;
        const { instance, sent } = await follow(before, step, { ...cause, idParts }, progress.noteRejection);
        position = event.position;
        instances.set(id, instance);
        if (instance !== before) changed.set(id, instance);
        if (sent) await save();
      }
    } catch (error) {
      // What came before stays done.
      if (changed.size > 0) await save();
      throw error;
    }
    if (changed.size > 0) await save();
    return keys.length;
  }

  return {
    take: async (events, progress) => {
      for (let start = 0; start < events.length && !progress.signal.aborted; ) {
        start += await takeSlice(events.slice(start, start + sliceLength), progress);
      }
    },
    nextDeadline: async (store) => (process.deadlines.length === 0 ? undefined : store.nextDeadline(process.name)),
    fire: async ({ key, name, at }: DueDeadline, progress) => {
      progress.begin(`at the deadline "${name}" of "${key}"`);
      const [found] = await progress.load([key]);
      const set = found?.deadlines[name];
      if (found === undefined || set?.at !== at) throw new Error('It is not the deadline that was set');
      const { [name]: _fired, ...deadlines } = found.deadlines;
      const context = { id: key, at, now: env.now() };
      const step = process.onDeadline(name, stateOf(process, found), context);
      const { causationId, correlationId } = set;
      // By the event and the time: one event may set several, and a later one may set the same time again.
      const idParts = [process.name, 'deadline', name, at, causationId, key] as const;
      const cause = { causationId, correlationId, idParts };
      const { instance } = await follow({ ...found, deadlines }, step, cause, progress.noteRejection);
      await progress.save(progress.position, [instance]);
    },
  };
}
