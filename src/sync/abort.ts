/** Settles as the work does, or fails with the signal's reason as soon as that is aborted, whatever the work still does. */
export function orAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/**
 * A controller that is aborted with each of the signals too. `release` when it is done: `AbortSignal.any` would be
 * shorter, and is not in every browser that Varve runs in.
 */
export function followSignals(...signals: readonly AbortSignal[]): {
  readonly controller: AbortController;
  readonly release: () => void;
} {
  const controller = new AbortController();
  const follow = ({ target }: { readonly target: unknown }) => controller.abort((target as AbortSignal).reason);
  for (const signal of signals) {
    if (signal.aborted) follow({ target: signal });
    signal.addEventListener('abort', follow);
  }
  return {
    controller,
    release: () => {
      for (const signal of signals) signal.removeEventListener('abort', follow);
    },
  };
}
