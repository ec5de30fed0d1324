// Makes what the measurements start from; nothing here is timed.
import { createVarveContestant, seedVarve } from '../contestants/varve.ts';
import { createBookings, createLedgerFile, type LedgerSize, type LedgerSummary } from '../ledger-data.ts';
import { sendFile } from '../measure/files.ts';

export interface Preparation {
  /** Writes the file that the hand-written contestants import, and says what a page must show after it. */
  writeFile(address: string, size: LedgerSize): Promise<LedgerSummary>;
  /** Fills Varve's log in this profile, one commit per booking, each with the id that the others store too. */
  seedVarve(size: LedgerSize): Promise<void>;
  /** Writes Varve's log to a file; says whether it can. */
  exportVarve(address: string): Promise<boolean>;
}

declare global {
  interface Window {
    readonly preparation: Preparation;
  }
}

// Opened by the first use: most uses of this page leave Varve's database alone.
let opened: ReturnType<typeof createVarveContestant> | undefined;
const varve = () => {
  opened ??= createVarveContestant();
  return opened;
};

Object.assign(window, {
  preparation: {
    writeFile: async (address, size) => {
      const { file, summary } = createLedgerFile(size);
      await sendFile(address, file);
      return summary;
    },
    seedVarve: (size) => seedVarve(varve().client, createBookings(size)),
    exportVarve: async (address) => {
      const { exportFile, importFile } = varve().contestant;
      if (exportFile === undefined || importFile === undefined) return false;
      await sendFile(address, await exportFile());
      return true;
    },
  } satisfies Window['preparation'],
});
