/** How far a consumer has come. */
export interface Checkpoint {
  /** Position of the last event that it is done with. */
  readonly position: number;
  /** The how manieth save it is, from 1: who saves names the next, and is refused where another was faster. */
  readonly turn: number;
}

/** One instance of a process: what it knows and what it waits for. */
export interface Instance {
  readonly key: string;
  /** Plain data; undefined where the instance ended. */
  readonly state?: unknown;
  readonly deadlines: { readonly [name: string]: SetDeadline };
}

/** A time to be called at, and why. */
export interface SetDeadline {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The event that it was set for. */
  readonly causationId: string;
  readonly correlationId: string;
}

/** A deadline of an instance. */
export interface DueDeadline {
  readonly key: string;
  readonly name: string;
  readonly at: number;
}

export interface CheckpointChange extends Checkpoint {
  /** Instances as they are now: each takes the place of what was saved under its key, deadlines and all. */
  readonly instances?: readonly Instance[];
}

/** Instances as they stand at one turn: at a later one they may know more than who loads them has seen. */
export interface LoadedInstances {
  /** 0 where the consumer has never saved. */
  readonly turn: number;
  /** In the order asked; undefined where there is none. */
  readonly instances: readonly (Instance | undefined)[];
}

/**
 * Where a log keeps how far its consumers have come: beside the log, in no cache. What is saved belongs to this log:
 * another one that is imported in its place starts without.
 */
export interface CheckpointStore {
  /** Undefined where the consumer has never saved. */
  load(consumer: string): Promise<Checkpoint | undefined>;
  /**
   * Saves everything of a change, or nothing: where its turn does not follow the one that is stored, another worker has
   * saved since it was loaded.
   *
   * @returns whether it was saved.
   */
  save(consumer: string, change: CheckpointChange): Promise<boolean>;
  loadInstances(consumer: string, keys: readonly string[]): Promise<LoadedInstances>;
  /** The deadline of all instances that is due first; by key and name where several are. */
  nextDeadline(consumer: string): Promise<DueDeadline | undefined>;
}

/** Whether nothing is left of an instance that would have to be kept. */
export function isEnded({ state, deadlines }: Instance): boolean {
  return state === undefined && Object.keys(deadlines).length === 0;
}

/** For a log that is in memory itself. */
export function createMemoryCheckpointStore(): CheckpointStore {
  const consumers = new Map<string, { checkpoint: Checkpoint; readonly instances: Map<string, Instance> }>();
  return {
    load: async (consumer) => consumers.get(consumer)?.checkpoint,
    save: async (consumer, { position, turn, instances: changed = [] }) => {
      const { checkpoint, instances } = consumers.get(consumer) ?? { instances: new Map<string, Instance>() };
      if (turn !== (checkpoint?.turn ?? 0) + 1) return false;
      // As a database does: what cannot be copied is refused before anything is stored, and later changes are not in it.
      for (const instance of structuredClone(changed)) {
        if (isEnded(instance)) instances.delete(instance.key);
        else instances.set(instance.key, instance);
      }
      consumers.set(consumer, { checkpoint: { position, turn }, instances });
      return true;
    },
    loadInstances: async (consumer, keys) => {
      const { checkpoint, instances } = consumers.get(consumer) ?? {};
      return { turn: checkpoint?.turn ?? 0, instances: keys.map((key) => structuredClone(instances?.get(key))) };
    },
    nextDeadline: async (consumer) => {
      let first: DueDeadline | undefined;
      for (const { key, deadlines } of consumers.get(consumer)?.instances.values() ?? []) {
        for (const [name, { at }] of Object.entries(deadlines)) {
          if (first === undefined || isBefore({ key, name, at }, first)) first = { key, name, at };
        }
      }
      return first;
    },
  };
}

function isBefore(one: DueDeadline, other: DueDeadline): boolean {
  if (one.at !== other.at) return one.at < other.at;
  return one.key === other.key ? one.name < other.name : one.key < other.key;
}
