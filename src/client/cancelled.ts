import type { Failed } from '../core/receipt.ts';

/** The answer to a call that was cancelled before the worker heard of it. */
export function cancelled(commandId: string): Failed {
  const text = `The command "${commandId}" was cancelled before it was sent. Nothing of it was saved.`;
  return { status: 'failed', commandId, failure: { type: 'engine.cancelled', text } };
}
