export { useClient, VarveProvider } from './provider.tsx';
export { useCommand } from './use-command.ts';
export { useEvents } from './use-events.ts';
export { useProjection, useRow } from './use-projection.ts';
export { useQuery } from './use-query.ts';
export { useStatus } from './use-status.ts';
