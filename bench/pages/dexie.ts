import { createDexieContestant } from '../contestants/dexie.ts';
import { mountContestant } from '../measure/mount.tsx';

mountContestant(createDexieContestant());
