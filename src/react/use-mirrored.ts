import { use, useCallback, useContext, useState, useSyncExternalStore } from 'react';
import type { Mirror } from '../client/mirror.ts';
import { FailureError } from '../core/errors.ts';
import type { Projection, RowOf } from '../core/projection.ts';
import { RetryContext, useClient } from './provider.tsx';

/** Keeps a hook from suspending: it gives undefined until the first rows have come. */
export interface NoSuspense {
  readonly suspend: false;
}

/**
 * What `read` makes of a projection's mirror, or what `readEmpty` gives where there are no rows yet and the hook may
 * not suspend. `read` gives the same answer as long as the mirror and `read` itself stay the same.
 *
 * Nothing of the client is touched on a server, where only the server's snapshot is asked for: no worker starts there.
 */
export function useMirrored<P extends Projection, Value, Empty>(
  projection: P,
  read: (mirror: Mirror<RowOf<P>>) => Value,
  readEmpty: () => Empty,
  suspends: boolean,
): Value | Empty {
  const client = useClient();
  const retry = useContext(RetryContext);
  const subscribe = useCallback(
    (listener: () => void) => client.mirror(projection).subscribe(listener),
    [client, projection],
  );
  const getSnapshot = useCallback(() => {
    const mirror = client.mirror(projection);
    return mirror.loaded ? read(mirror) : (mirror.error ?? notYet);
  }, [client, projection, read]);
  const snapshot = useSyncExternalStore<Value | Error | symbol>(subscribe, getSnapshot, getServerSnapshot);
  const isServed = snapshot === served;
  // What a server rendered stays on screen until the rows come: to suspend now would replace it by the fallback.
  const [servedProjection] = useState(isServed ? projection : undefined);
  if (isServed) return readEmpty();

  const mirror = client.mirror(projection);
  const { loaded, error } = mirror;
  // Who does not suspend has no boundary for failures either, and reads the status. A defect is for a developer.
  if (error !== undefined && (suspends || !(error instanceof FailureError))) throw error;
  if (suspends && servedProjection !== projection) {
    // React notes on a promise that it has settled; of one that it has not seen before it would learn too late for this
    // render, and show the fallback for 300 ms.
    if (loaded) Object.assign(mirror.ready, { status: 'fulfilled' });
    // The same 300 ms hold back what follows a fallback, unless something else than the promise asks for it: measured,
    // a page that had its rows after 170 ms showed them after 430.
    else mirror.ready.then(retry, retry);
    use(mirror.ready);
  }
  // The snapshot was taken a moment ago, in this turn: of a loaded mirror it is what `read` gave.
  return loaded ? (snapshot as Value) : readEmpty();
}

const notYet = Symbol('not yet');
const served = Symbol('served');
const getServerSnapshot = () => served;
