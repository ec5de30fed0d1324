import type { View } from '../core/view.ts';

/** A view's folded state, and the position up to which the log is in it. */
export interface ViewState {
  readonly state: unknown;
  readonly position: number;
}

/** The states of the views used last. Only what is committed goes in; what came after is read in the transaction. */
export interface ViewCache {
  get(view: View): ViewState | undefined;
  set(view: View, state: ViewState): void;
  clear(): void;
}

/** Views that are kept: some megabytes at most. */
const capacity = 1_000;

export function createViewCache(): ViewCache {
  const ids = new WeakMap<object, number>();
  // A Map keeps insertion order: the first key is the one unused for longest.
  const states = new Map<string, ViewState>();
  let lastId = 0;

  function keyOf({ definition, filter }: View): string {
    let id = ids.get(definition);
    if (id === undefined) {
      lastId += 1;
      id = lastId;
      ids.set(definition, id);
    }
    return JSON.stringify([id, filter.tags]);
  }

  return {
    get: (view) => {
      const key = keyOf(view);
      const found = states.get(key);
      if (found !== undefined) {
        states.delete(key);
        states.set(key, found);
      }
      return found;
    },
    set: (view, state) => {
      const key = keyOf(view);
      states.delete(key);
      states.set(key, state);
      if (states.size <= capacity) return;
      for (const oldest of states.keys()) {
        states.delete(oldest);
        break;
      }
    },
    clear: () => states.clear(),
  };
}
