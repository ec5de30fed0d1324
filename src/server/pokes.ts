import type { SyncPoke } from '../protocol/sync-messages.ts';
import { nextTurn } from './next-turn.ts';

/**
 * Tells open event streams that the head of a log moved. A hint: whoever reads too slowly misses some.
 *
 * Every beat looks at the head and tells it again. A stream that stays silent is dead, and its reader can know that;
 * and what another server on the same database has taken is told with the next beat.
 */
export interface Pokes {
  send(logId: string, poke: SyncPoke): void;
  /** A stream of server-sent events that begins with `first`. `onCount` hears of its opening and of its end. */
  open(logId: string, first: SyncPoke, onCount: CountListener): ReadableStream<Uint8Array>;
  /** Ends every stream. */
  close(): void;
}

export type CountListener = (change: 1 | -1) => void;

/** Where the log is now, looked up once in a beat for all streams of a log. What it throws is not heard of. */
export type ReadPoke = (logId: string) => Promise<SyncPoke | undefined>;

interface Stream {
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  readonly onCount: CountListener;
}

/** Logs of which the last poke is kept: those that streams may be opening to at the moment, and many more. */
const maxKept = 1_000;

/** The protocol says 30 seconds; proxies close what is silent for a minute. */
const beatMs = 25_000;

export function createPokes(readPoke: ReadPoke): Pokes {
  const streams = new Map<string, Set<Stream>>();
  /** The latest told of is the last. */
  const lastPokes = new Map<string, SyncPoke>();
  /** Logs whose head moved in this turn. */
  const moved = new Set<string>();
  let beat: ReturnType<typeof setInterval> | undefined;

  function write({ controller }: Stream, text: Uint8Array): void {
    // Whoever does not read hears of the head when it does: the queue does not grow.
    if ((controller.desiredSize ?? 0) > 0) controller.enqueue(text);
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

  /** Where the log is, by this and by what was told before: a look may have been long on its way. */
  function keepNewest(logId: string, poke: SyncPoke): SyncPoke {
    const last = lastPokes.get(logId);
    const found = last !== undefined && last.epoch === poke.epoch && last.g > poke.g ? last : poke;
    lastPokes.delete(logId);
    lastPokes.set(logId, found);
    const [oldest = logId] = lastPokes.keys();
    if (lastPokes.size > maxKept) lastPokes.delete(oldest);
    return found;
  }

  function send(logId: string, poke: SyncPoke): void {
    // Also where nobody listens: a stream may be opening, and has looked at the head before this.
    keepNewest(logId, poke);
    if (!streams.has(logId)) return;
    // Of pushes that were stored together, the last one says it all.
    if (moved.size === 0) void nextTurn().then(tellMoved);
    moved.add(logId);
  }

  function tellMoved(): void {
    for (const logId of moved) {
      const poke = lastPokes.get(logId);
      if (poke === undefined) continue;
      const text = toText(poke);
      for (const stream of streams.get(logId) ?? []) write(stream, text);
    }
    moved.clear();
  }

  async function tellAgain(logId: string): Promise<void> {
    // A database that is away says so to the next request. The line is alive, and that is told.
    const found = await readPoke(logId).catch(() => undefined);
    const poke = found ?? lastPokes.get(logId);
    if (poke !== undefined) send(logId, poke);
  }

  return {
    send,
    open: (logId, first, onCount) => {
      let own: Stream;
      return new ReadableStream<Uint8Array>(
        {
          start: (controller) => {
            own = { controller, onCount };
            const all = streams.get(logId) ?? new Set();
            streams.set(logId, all.add(own));
            beat ??= setInterval(() => {
              for (const one of streams.keys()) void tellAgain(one);
            }, beatMs);
            onCount(1);
            write(own, toText(keepNewest(logId, first)));
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

function toText(poke: SyncPoke): Uint8Array {
  return new TextEncoder().encode(`event: poke\ndata: ${JSON.stringify(poke)}\n\n`);
}
