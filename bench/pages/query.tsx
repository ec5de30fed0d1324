import type { Command } from 'varve';
import { createClient } from 'varve/client';
import { useQuery, VarveProvider } from 'varve/react';
import { mountQueryBench } from '../measure/query-bench.tsx';
import { Accounts, createRows, queryApp, toCommand, topLength } from '../query-app.ts';

const client = createClient(
  queryApp,
  () => new Worker(new URL('../contestants/query.worker.ts', import.meta.url), { type: 'module' }),
  { askToPersist: false },
);

async function save(commands: readonly Command[]): Promise<void> {
  const receipt = await client.execute(commands);
  if (receipt.status !== 'saved') throw new Error(`A command was not saved: ${JSON.stringify(receipt)}`);
}

mountQueryBench({
  fill: async (count) => {
    let commands: Command[] = [];
    for (const [key, row] of createRows(count)) {
      commands.push(toCommand(key, row));
      if (commands.length < 10_000) continue;
      await save(commands);
      commands = [];
    }
    if (commands.length > 0) await save(commands);
  },
  load: async () => {
    // Answered when all rows are folded; of another order than the one that is measured.
    const any = client.query(Accounts, { limit: 1 });
    await any.ready;
    any.close();
    await new Promise((resolve) => setTimeout(resolve, 2_000));
  },
  useTop: () => useQuery(Accounts, { orderBy: ['balance', 'desc'], limit: topLength }).rows,
  change: (key, row) => save([toCommand(key, row)]),
  wrap: (view) => <VarveProvider client={client}>{view}</VarveProvider>,
});
