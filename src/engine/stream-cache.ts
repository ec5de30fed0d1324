/** A stream's folded state, and the revision that it was folded up to (−1: no event). */
export interface StreamState {
  readonly state: unknown;
  readonly revision: number;
}

/**
 * The states of the streams used last. Only what is committed goes in, and a state is used only where its revision is
 * the stream's revision in the transaction at hand: other tabs append too.
 */
export interface StreamCache {
  get(stream: string): StreamState | undefined;
  set(stream: string, state: StreamState): void;
  clear(): void;
}

export function createStreamCache(capacity = 10_000): StreamCache {
  // A Map keeps insertion order: the first key is the one unused for longest.
  const stateByStream = new Map<string, StreamState>();
  return {
    get: (stream) => {
      const found = stateByStream.get(stream);
      if (found !== undefined) {
        stateByStream.delete(stream);
        stateByStream.set(stream, found);
      }
      return found;
    },
    set: (stream, state) => {
      stateByStream.delete(stream);
      stateByStream.set(stream, state);
      if (stateByStream.size <= capacity) return;
      for (const oldest of stateByStream.keys()) {
        stateByStream.delete(oldest);
        break;
      }
    },
    clear: () => stateByStream.clear(),
  };
}
