import type { BesideKind, BesideLog } from './synced-log.ts';

/** What is kept beside a log in memory; copied on its way in and out, as a database does. */
export interface MemoryBeside {
  read(kind: BesideKind, id: string): unknown;
  ids(kind: BesideKind): Iterable<string>;
  write(kind: BesideKind, id: string, value: unknown): void;
  copy(): MemoryBeside;
}

/** A value of its own for what was taken out: `undefined` may be kept. */
export const removed: unique symbol = Symbol('removed');

export function createMemoryBeside(from?: Readonly<Record<BesideKind, ReadonlyMap<string, unknown>>>): MemoryBeside {
  // Never changed in place: values may be shared.
  const values: Record<BesideKind, Map<string, unknown>> = {
    note: new Map(from?.note),
    marked: new Map(from?.marked),
    refused: new Map(from?.refused),
    orphan: new Map(from?.orphan),
  };
  return {
    read: (kind, id) => (values[kind].has(id) ? values[kind].get(id) : removed),
    ids: (kind) => values[kind].keys(),
    write: (kind, id, value) => {
      if (value === removed) values[kind].delete(id);
      else values[kind].set(id, value);
    },
    copy: () => createMemoryBeside(values),
  };
}

/** What a transaction changes, until `flush`. */
export function stageBeside(stored: MemoryBeside): BesideLog & { flush(): void } {
  const changes: Record<BesideKind, Map<string, unknown>> = {
    note: new Map(),
    marked: new Map(),
    refused: new Map(),
    orphan: new Map(),
  };
  const read = (kind: BesideKind, id: string) => {
    const change = changes[kind];
    return change.has(id) ? change.get(id) : stored.read(kind, id);
  };
  const ids = (kind: BesideKind) =>
    [...new Set([...stored.ids(kind), ...changes[kind].keys()])].filter((id) => read(kind, id) !== removed).sort();
  const copy = (kind: BesideKind, id: string) => {
    const value = read(kind, id);
    return value === removed ? undefined : structuredClone(value);
  };
  return {
    get: async (kind, wanted) => wanted.map((id) => copy(kind, id)),
    list: async (kind, limit) =>
      ids(kind)
        .slice(0, limit)
        .map((id) => [id, copy(kind, id)] as const),
    ids: async (kind) => ids(kind),
    count: async (kind) => ids(kind).length,
    put: (kind, id, value) => void changes[kind].set(id, structuredClone(value)),
    delete: (kind, id) => void changes[kind].set(id, removed),
    flush: () => {
      for (const [kind, values] of Object.entries(changes)) {
        for (const [id, value] of values) stored.write(kind as BesideKind, id, value);
      }
    },
  };
}
