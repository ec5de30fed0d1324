import type { Receipt } from '../core/receipt.ts';
import type { ExecuteRequest } from '../protocol/engine-api.ts';

/** What came of a request: a receipt, or the bug that its domain code threw. */
export type Outcome = { readonly receipt: Receipt } | { readonly thrown: unknown };

/** Most commands that share one transaction: what one of them waits for at most. */
const maxGroupCommands = 512;

/**
 * Runs requests one group at a time: those that wait while a group runs share the next transaction (group commit),
 * each with an outcome of its own.
 */
export function createCommandQueue(
  runGroup: (requests: readonly ExecuteRequest[]) => Promise<readonly Outcome[]>,
): (request: ExecuteRequest) => Promise<Receipt> {
  const waiting: { readonly request: ExecuteRequest; readonly settle: (outcome: Outcome) => void }[] = [];
  let running = false;

  async function drain(): Promise<void> {
    running = true;
    while (waiting.length > 0) {
      const group = takeGroup();
      const outcomes = await outcomesOf(group.map(({ request }) => request));
      for (const [index, { settle }] of group.entries()) {
        settle(outcomes[index] ?? { thrown: new Error('A group of commands ended without an outcome for each.') });
      }
    }
    running = false;
  }

  /** What a group throws is the answer to each of its requests: those that come after it must not wait for ever. */
  async function outcomesOf(requests: readonly ExecuteRequest[]): Promise<readonly Outcome[]> {
    try {
      return await runGroup(requests);
    } catch (thrown) {
      return requests.map(() => ({ thrown }));
    }
  }

  function takeGroup() {
    let commands = 0;
    let count = 0;
    for (const { request } of waiting) {
      // A decision has none, and takes as long as one.
      commands += Math.max(1, request.commands.length);
      if (count > 0 && commands > maxGroupCommands) break;
      count += 1;
    }
    return waiting.splice(0, count);
  }

  return (request) =>
    new Promise((resolve, reject) => {
      waiting.push({
        request,
        settle: (outcome) => ('receipt' in outcome ? resolve(outcome.receipt) : reject(outcome.thrown)),
      });
      if (!running) void drain();
    });
}
