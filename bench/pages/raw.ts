import { createWorkerContestant } from '../contestants/worker-contestant.ts';
import { mountContestant } from '../measure/mount.tsx';

const worker = new Worker(new URL('../contestants/raw.worker.ts', import.meta.url), { type: 'module' });
mountContestant(createWorkerContestant('raw', worker));
