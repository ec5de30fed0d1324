export { useClient, VarveProvider } from './provider.tsx';
export type { CommandSender, DecisionSender, Sender } from './use-command.ts';
export { useCommand } from './use-command.ts';
export { useEvents } from './use-events.ts';
export { useProjection, useRow } from './use-projection.ts';
export { useReady } from './use-ready.ts';
export { useReceipt } from './use-receipt.ts';
export { useStatus } from './use-status.ts';
export { useValue } from './use-value.ts';
