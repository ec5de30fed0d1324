// The manuscript: every keystroke an event of one stream, and a projection whose one row is the text.
import { command } from 'varve';
import { createClient } from 'varve/client';
import { openLogTools } from '../contestants/log-tools.ts';
import { type Edit, Manuscript, manuscript, Texts } from '../manuscript.ts';
import type { Timed } from '../measure/bench.ts';
import { fetchFile } from '../measure/files.ts';
import { createStallMeter } from '../measure/stall-meter.ts';
import { editRope, emptyRope, ropeToText } from '../rope.ts';

/** What the runner calls. Every call leaves the text to be compared with what the data set says. */
export interface ManuscriptBench {
  readonly has: Readonly<Record<'importFile' | 'rebuild', boolean>>;
  /** Reads the data set; says how many edits it has. */
  load(address: string): Promise<number>;
  /** Stores every edit as a command of its own, 500 to a commit. */
  write(): Promise<Timed>;
  /** Exports the log and imports the file over it; the time is the import's. */
  importAgain(): Promise<Timed>;
  rebuild(): Promise<Timed>;
  /** The same fold over the same edits in an array: no storage, no worker, no framework. */
  foldInMemory(): number;
  isRight(): boolean;
}

declare global {
  interface Window {
    readonly manuscriptBench: ManuscriptBench;
  }
}

/** The data set's own format: `[position, deleted, inserted]` per patch. */
interface EditingTrace {
  readonly endContent: string;
  readonly txns: readonly { readonly patches: readonly (readonly [number, number, string])[] }[];
}

const commitLength = 500;

const client = createClient(
  manuscript,
  () => new Worker(new URL('../contestants/manuscript.worker.ts', import.meta.url), { type: 'module' }),
  { askToPersist: false },
);
const texts = client.mirror(Texts);
const { importFile, exportFile, rebuild } = openLogTools(client);
const meter = createStallMeter();
let edits: readonly Edit[] = [];
let endContent = '';

async function timed(run: () => Promise<unknown>): Promise<Timed> {
  meter.restart();
  const start = performance.now();
  await run();
  const ms = performance.now() - start;
  return { ms, stall: await meter.read() };
}

async function writeAll(): Promise<void> {
  for (let start = 0; start < edits.length; start += commitLength) {
    const commands = edits.slice(start, start + commitLength).map((edit) => command(Manuscript, 'paper', 'edit', edit));
    const receipt = await client.execute(commands, { durability: 'relaxed' });
    if (receipt.status !== 'saved') throw new Error(`Edits were not saved: ${JSON.stringify(receipt)}`);
  }
}

Object.assign(window, {
  manuscriptBench: {
    has: { importFile: importFile !== undefined && exportFile !== undefined, rebuild: rebuild !== undefined },
    load: async (address) => {
      const trace = JSON.parse(await (await fetchFile(address)).text()) as EditingTrace;
      endContent = trace.endContent;
      edits = trace.txns.flatMap(({ patches }) =>
        patches.map(([at, deleted, inserted]) => ({ at, deleted, inserted })),
      );
      await texts.ready;
      return edits.length;
    },
    write: () => timed(writeAll),
    importAgain: async () => {
      const file = await exportFile?.();
      if (file === undefined || importFile === undefined) throw new Error('The client cannot import and export.');
      return timed(() => importFile(file));
    },
    rebuild: () => timed(async () => rebuild?.()),
    foldInMemory: () => {
      const start = performance.now();
      let rope = emptyRope;
      for (const { at, deleted, inserted } of edits) rope = editRope(rope, at, deleted, inserted);
      const ms = performance.now() - start;
      if (ropeToText(rope) !== endContent) throw new Error('The fold in memory gave another text than the data set.');
      return ms;
    },
    isRight: () => ropeToText(texts.rows.get('paper')?.rope ?? emptyRope) === endContent,
  } satisfies Window['manuscriptBench'],
});
