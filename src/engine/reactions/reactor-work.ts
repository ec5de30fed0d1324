import type { Command } from '../../core/command.ts';
import type { RecordedEvent } from '../../core/events.ts';
import type { Reactor, ReactorContext } from '../../core/reactor.ts';
import type { ConsumerTools, ConsumerWork, Progress } from './consumer-work.ts';
import { eventText, toCommandId } from './lineage.ts';

/** Hands a reactor its events one after the other, and notes each as done. */
export function createReactorWork(reactor: Reactor, { execute }: Pick<ConsumerTools, 'execute'>): ConsumerWork {
  function contextOf(event: RecordedEvent, signal: AbortSignal): ReactorContext {
    const sent = new Map<string, number>();
    return {
      signal,
      execute: (given, { commandId } = {}) => {
        const commands: readonly Command[] = 'aggregate' in given ? [given] : given;
        const text = JSON.stringify(commands);
        const times = sent.get(text) ?? 0;
        sent.set(text, times + 1);
        return execute({
          // By what is sent and not by its place: a handler that is run again may answer otherwise, to another outside.
          commandId: commandId ?? toCommandId([reactor.name, event.id, times], text),
          commands,
          causationId: event.id,
          correlationId: event.meta.correlationId,
        });
      },
    };
  }

  return {
    take: async (events, { begin, save, signal }: Progress) => {
      for (const event of events) {
        if (signal.aborted) return;
        begin(eventText(event));
        await reactor.onEvent(event, contextOf(event, signal));
        await save(event.position);
      }
    },
    nextDeadline: async () => undefined,
    fire: async () => undefined,
  };
}
