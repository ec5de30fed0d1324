import { expect, it, onTestFinished } from 'vitest';
import { createClient } from '../../client/client.ts';
import { createMemoryEventLog } from '../../log/memory-event-log.ts';
import { createAuthor, pull } from '../../log/synced-log.contract.ts';
import { appendAll } from '../../testing/conformance/log-access.ts';
import { commitOf, range } from '../../testing/conformance/sample-commits.ts';
import { bankApp } from '../../testing/fixtures/bank-app.ts';
import { createInProcessWorker } from '../../testing/in-process-worker.ts';

const confirmed = 6_000;

/** A client of a log with pending commits; `move` puts one of somebody else before them. */
async function openMoving() {
  const log = createMemoryEventLog({ logId: 'log-1', client: 'c' });
  const synced = await log.openSync();
  await appendAll(
    log,
    range(1, confirmed).map((index) => commitOf(`c${index}`, [`account-${index}`])),
  );
  await synced.write(async (transaction) => transaction.setBase({ epoch: 'e', ...transaction.end }));
  await appendAll(
    log,
    range(1, 5).map((index) => commitOf(`p${index}`, [`account-p${index}`])),
  );
  const sync = { start: () => ({ wake: () => undefined, stop: async () => undefined }) };
  const client = createClient(bankApp, () => createInProcessWorker({ app: bankApp, log, sync }), {
    askToPersist: false,
  });
  onTestFinished(() => client.close());
  const author = createAuthor(log.logId, 'ann');
  let moved = 0;
  const move = () => {
    moved += 1;
    return pull(synced, [author.write(`x${moved}`, ['b-1'])]);
  };
  return { client, move };
}

it('reads every event that is confirmed, although what is pending moves meanwhile', async () => {
  const { client, move } = await openMoving();
  const seen: number[] = [];
  const reading = (async () => {
    for await (const { position } of client.read({ from: 1, to: confirmed })) seen.push(position);
  })();
  for (let turn = 0; turn < 12; turn += 1) await move();
  await reading;
  expect(seen).toEqual(range(1, confirmed));
});

it('tells who follows every event that is confirmed, although what is pending moves meanwhile', async () => {
  const { client, move } = await openMoving();
  const seen: number[] = [];
  const controller = new AbortController();
  const following = (async () => {
    for await (const { position } of client.subscribe({}, { signal: controller.signal })) seen.push(position);
  })();
  for (let turn = 0; turn < 12; turn += 1) await move();
  await expect.poll(() => seen.at(-1), { timeout: 10_000 }).toBe(confirmed + 12);
  controller.abort();
  await following;
  expect(seen).toEqual(range(1, confirmed + 12));
});
