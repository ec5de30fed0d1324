import {
  type Context,
  createContext,
  type ReactElement,
  type ReactNode,
  Suspense,
  use,
  useContext,
  useReducer,
} from 'react';
import type { Client } from '../client/client.ts';
import type { Mirror } from '../client/mirror.ts';

const ClientContext = createContext<Client | undefined>(undefined);

/** Renders the nearest provider's boundary again. */
export const RetryContext: Context<() => void> = createContext<() => void>(() => undefined);

/**
 * Gives the hooks below it their client. Shows `fallback` until the first rows of what they use have arrived:
 * milliseconds, and never rows that are not there yet.
 */
export function VarveProvider({
  client,
  fallback = null,
  children,
}: {
  readonly client: Client;
  readonly fallback?: ReactNode;
  readonly children: ReactNode;
}): ReactElement {
  const [, retry] = useReducer((turn: number) => turn + 1, 0);
  return (
    <ClientContext value={client}>
      <RetryContext value={retry}>
        <Suspense fallback={fallback}>{children}</Suspense>
      </RetryContext>
    </ClientContext>
  );
}

/** Suspends until the first rows of a mirror have arrived. */
export function useLoaded<M extends Mirror>(mirror: M): M {
  const retry = useContext(RetryContext);
  // React holds what follows a fallback back for 300 ms, unless something else than the promise asks for it: measured,
  // a page that had its rows after 170 ms showed them after 430.
  if (!mirror.loaded) mirror.ready.then(retry, () => undefined);
  use(mirror.ready);
  return mirror;
}

/** The client of the nearest provider: for `read`, and for several commands as one commit. */
export function useClient(): Client {
  const client = useContext(ClientContext);
  if (client === undefined) {
    throw new Error('A Varve hook was used outside of <VarveProvider client={…}>. Put the provider around the app.');
  }
  return client;
}
