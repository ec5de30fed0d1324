import type { OpenedLog } from '../transfers.ts';

/**
 * The log as far as its order is final: what follows with effects (a mail, another command) cannot be taken back, and
 * what is pending can still be moved or withdrawn. Without sync it is the log.
 */
export function createConfirmedLog(log: OpenedLog): OpenedLog {
  const final = (head: number) => Math.min(head, log.order.confirmed ?? head);
  return Object.create(
    log,
    Object.getOwnPropertyDescriptors({
      head: async () => final(await log.head()),
      onGrowth: (listener: Parameters<OpenedLog['onGrowth']>[0]) => log.onGrowth((head) => listener(final(head), [])),
    }),
  );
}
