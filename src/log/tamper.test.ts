import 'fake-indexeddb/auto';
import { describeTampering } from './tamper.contract.ts';

describeTampering(Number(process.env.VARVE_TAMPERS ?? 150), Number(process.env.VARVE_SEED ?? 1));
