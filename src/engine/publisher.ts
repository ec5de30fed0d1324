import type { EngineMessage } from '../protocol/engine-api.ts';

/** Tells the page what changed: one message per patch, holding only the projections that the page mirrors. */
export interface Publisher {
  connect(port: MessagePort): void;
  /** From now on patches carry the rows of this projection. */
  include(projection: string): void;
  includes(projection: string): boolean;
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
    post,
  };
}
