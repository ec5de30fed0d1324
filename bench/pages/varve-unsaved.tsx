import { VarveProvider } from 'varve/react';
import { createVarveContestant } from '../contestants/varve.ts';
import { ledgerUnsaved } from '../ledger.ts';
import { mountContestant } from '../measure/mount.tsx';

const { contestant, client } = createVarveContestant(
  ledgerUnsaved,
  () => new Worker(new URL('../contestants/varve-unsaved.worker.ts', import.meta.url), { type: 'module' }),
);
mountContestant(contestant, (view) => <VarveProvider client={client}>{view}</VarveProvider>);
