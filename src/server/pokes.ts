import type { SyncPoke } from '../protocol/sync-messages.ts';

/** Tells open event streams that the head of a log moved. A hint: whoever reads too slowly misses some. */
export interface Pokes {
  send(logId: string, poke: SyncPoke): void;
  /** A stream of server-sent events that begins with `first`. `onCount` hears of its opening and of its end. */
  open(logId: string, first: SyncPoke, onCount: CountListener): ReadableStream<Uint8Array>;
  /** Ends every stream. */
  close(): void;
}

export type CountListener = (change: 1 | -1) => void;

interface Stream {
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  readonly onCount: CountListener;
}

/** Proxies close what is silent for a minute. */
const beatMs = 25_000;

export function createPokes(): Pokes {
  const encoder = new TextEncoder();
  const streams = new Map<string, Set<Stream>>();
  let beat: ReturnType<typeof setInterval> | undefined;

  function write({ controller }: Stream, text: string): void {
    // Whoever does not read hears of the head when it does: the queue does not grow.
    if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(text));
  }

  function forget(logId: string, stream: Stream): void {
    const all = streams.get(logId);
    if (all?.delete(stream) !== true) return;
    if (all.size === 0) streams.delete(logId);
    if (streams.size === 0) {
      clearInterval(beat);
      beat = undefined;
    }
    stream.onCount(-1);
  }

  return {
    send: (logId, poke) => {
      for (const stream of streams.get(logId) ?? []) write(stream, toText(poke));
    },
    open: (logId, first, onCount) => {
      let own: Stream;
      return new ReadableStream<Uint8Array>(
        {
          start: (controller) => {
            own = { controller, onCount };
            const all = streams.get(logId) ?? new Set();
            streams.set(logId, all.add(own));
            beat ??= setInterval(() => {
              for (const set of streams.values()) for (const one of set) write(one, ': beat\n\n');
            }, beatMs);
            onCount(1);
            write(own, toText(first));
          },
          cancel: () => forget(logId, own),
        },
        { highWaterMark: 8 },
      );
    },
    close: () => {
      for (const [logId, all] of [...streams]) {
        for (const stream of [...all]) {
          forget(logId, stream);
          stream.controller.close();
        }
      }
    },
  };
}

function toText(poke: SyncPoke): string {
  return `event: poke\ndata: ${JSON.stringify(poke)}\n\n`;
}
