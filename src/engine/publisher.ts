import type { EngineMessage, Patch } from '../protocol/engine-api.ts';

/** Tells the page what changed: one message per patch, holding only the projections that the page mirrors. */
export interface Publisher {
  connect(port: MessagePort): void;
  /** From now on patches carry the rows of this projection. */
  include(projection: string): void;
  includes(projection: string): boolean;
  /** Posts what of a patch the page mirrors. */
  publish(patch: Patch): void;
  post(message: EngineMessage): void;
}

export function createPublisher(): Publisher {
  const mirrored = new Set<string>();
  let port: MessagePort | undefined;
  const post = (message: EngineMessage) => port?.postMessage(message);
  return {
    connect: (newPort) => {
      port?.close();
      port = newPort;
      mirrored.clear();
    },
    include: (projection) => mirrored.add(projection),
    includes: (projection) => mirrored.has(projection),
    publish: (patch) => {
      const mirroredChanges = Object.entries(patch.changes).filter(([projection]) => mirrored.has(projection));
      post({ ...patch, changes: Object.fromEntries(mirroredChanges) });
    },
    post,
  };
}
