import { VarveProvider } from 'varve/react';
import { createVarveContestant } from '../contestants/varve.ts';
import { mountContestant } from '../measure/mount.tsx';

const { contestant, client } = createVarveContestant();
mountContestant(contestant, (view) => <VarveProvider client={client}>{view}</VarveProvider>);
