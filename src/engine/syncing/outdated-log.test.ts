import 'fake-indexeddb/auto';
import { expect, it, onTestFinished } from 'vitest';
import { createClient } from '../../client/client.ts';
import { openDexieEventLog } from '../../log/dexie-event-log.ts';
import { httpSync } from '../../sync/http-sync.ts';
import { Account, Balances, bankApp } from '../../testing/fixtures/bank-app.ts';
import { createInProcessWorker, createTestEnv } from '../../testing/in-process-worker.ts';

const env = createTestEnv();
const open = () => openDexieEventLog({ name: 'outdated', env });

it('a log that newer code writes is shown, and sync says what it waits for', async () => {
  const log = await open();
  const before = createClient(bankApp, () => createInProcessWorker({ app: bankApp, log }), { askToPersist: false });
  await before.execute(Account, 'ada', 'deposit', { amount: 5 });
  await before.close();
  log.close();
  await writeAsNewerCode('outdated');

  const requests: string[] = [];
  const sync = httpSync({
    url: 'http://server',
    token: () => 't',
    fetch: async (input) => {
      requests.push(String(input));
      throw new TypeError('Failed to fetch');
    },
  });
  const again = await open();
  onTestFinished(() => again.close());
  const client = createClient(bankApp, () => createInProcessWorker({ app: bankApp, log: again, sync }), {
    askToPersist: false,
  });
  onTestFinished(() => client.close());
  const { ready, rows } = client.mirror(Balances);
  await ready;
  expect(Object.fromEntries(rows)).toEqual({ ada: { balance: 5 } });
  await expect
    .poll(() => client.status.getState().sync)
    .toMatchObject({ phase: 'paused', problem: { code: 'storage.outdated' } });
  expect(await client.execute(Account, 'ada', 'deposit', { amount: 1 })).toMatchObject({
    status: 'failed',
    failure: { type: 'storage.outdated' },
  });
  expect(requests).toEqual([]);
});

function writeAsNewerCode(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(name);
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const transaction = opening.result.transaction('meta', 'readwrite');
      const meta = transaction.objectStore('meta');
      const reading = meta.get('log');
      reading.onsuccess = () => meta.put({ ...reading.result, write: 4 }, 'log');
      transaction.oncomplete = () => {
        opening.result.close();
        resolve();
      };
    };
  });
}
