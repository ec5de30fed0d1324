import type { Page } from '@playwright/test';
import { findFullChromium } from '../scripts/chromium.mjs';
import { expect, expectAccessible, openLedger, openProfile, readBalances } from './app.ts';
import {
  book,
  bookMany,
  chip,
  expectSame,
  expectSynced,
  openAccount,
  readEnd,
  readShareLink,
  syncNow,
  test,
} from './sync-server.ts';

test('a shared link opens the ledger in another profile, and each sees live what the other does', async ({
  openDevice,
}) => {
  const one = await openDevice();
  const link = await readShareLink(one.page);
  const two = await openDevice(link);
  expect(await readBalances(two.page)).toEqual(await readBalances(one.page));
  for (const { page } of [one, two]) await openAccount(page, 'S-01');
  await book(one.page, 'Deposit', '10', 'From the first');
  // A look is made every minute: so soon it comes by a hint.
  await expect(two.page.getByRole('row').nth(1)).toContainText('From the first', { timeout: 8_000 });
  await book(two.page, 'Deposit', '20', 'From the second');
  await expect(one.page.getByRole('row').nth(1)).toContainText('From the second', { timeout: 8_000 });
  await expect(one.page.getByText('Confirmed by the server.')).toBeVisible();
  await expectSame(one.page, two.page);
  // Its own link leads a device to its own ledger, and not to a second copy of it.
  await one.page.goto(link);
  await expect(one.page.getByText('24 accounts', { exact: true })).toBeVisible();
  const names = await one.page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
  expect(names.filter((name) => name?.startsWith('varve-ledger'))).toEqual(['varve-ledger']);
  // The second has kept its own, which is another one.
  await chip(two.page).click();
  await two.page.getByRole('link', { name: 'own ledger' }).click();
  await expectSynced(two.page);
  await two.page.goto('/#/account/S-01');
  await expect(two.page.getByText('Groceries').first()).toBeVisible();
  await expect(two.page.getByText('From the first')).toHaveCount(0);
});

test('200 commands on each of two devices that are offline come to the same rows in the same order', async ({
  openDevice,
}) => {
  // The form takes one command at a time, and four hundred of them take a while.
  test.slow();
  const one = await openDevice();
  const two = await openDevice(await readShareLink(one.page));
  const before = (await readBalances(one.page))['S-02'] ?? 0;
  for (const { context, page } of [one, two]) {
    await context.setOffline(true);
    await openAccount(page, 'S-02');
    await bookMany(page, 200);
  }
  for (const { page } of [one, two]) await expect(chip(page)).toHaveText('Sync: 200 waiting · offline');
  await one.page.setViewportSize({ width: 390, height: 800 });
  expect(await one.page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
  await expectAccessible(one.page);
  await one.page.setViewportSize({ width: 1280, height: 800 });
  expect(await readEnd(one.page)).not.toEqual(await readEnd(two.page));
  for (const { context } of [one, two]) await context.setOffline(false);
  await expectSame(one.page, two.page);
  for (const { page } of [one, two]) {
    await expect(page.getByText('Confirmed by the server.')).toBeVisible();
    await expect(page.getByText('waiting', { exact: true })).toHaveCount(0);
    await expect(page.getByRole('region', { name: 'Refused commands' })).toHaveCount(0);
    // Hellers.
    expect((await readBalances(page))['S-02']).toBe(before + 2 * 100 * ((200 * 201) / 2));
  }
});

test('of two withdrawals that exclude each other one is refused, and told to who made it', async ({
  openDevice,
  server,
}) => {
  const one = await openDevice();
  const two = await openDevice(await readShareLink(one.page));
  const balance = (await readBalances(one.page))['S-03'] ?? 0;
  await server.kill();
  for (const { page } of [one, two]) {
    await openAccount(page, 'S-03');
    await book(page, 'Withdraw', String(Math.floor(balance / 100)), 'All of it');
    await book(page, 'Withdraw', '4000', 'And more');
    await expect(chip(page)).toHaveText(/^Sync: 2 waiting/);
    await expect(page.getByText('Waits to be synced.')).toBeVisible();
  }
  // The first that comes to the server is confirmed: without this, whichever wakes first.
  await two.context.setOffline(true);
  await server.start();
  await syncNow(one.page);
  await expectSynced(one.page);
  await two.context.setOffline(false);
  await syncNow(two.page);
  await expectSame(one.page, two.page);
  expect(await readBalances(two.page)).toEqual(await readBalances(one.page));
  await expect(one.page.getByText('Confirmed by the server.')).toBeVisible();
  await expect(one.page.getByRole('region', { name: 'Refused commands' })).toHaveCount(0);
  const refused = two.page.getByRole('region', { name: 'Refused commands' });
  await expect(refused.getByRole('listitem')).toHaveCount(2);
  await expect(refused).toContainText(/Withdrawal of 4,000\.00, .* \(S-03\)/);
  await expect(refused).toContainText('That is more than the account may give.');
  await expect(two.page.getByText('Refused since.')).toBeVisible();
  for (const colorScheme of ['light', 'dark'] as const) {
    await two.page.emulateMedia({ colorScheme });
    await expectAccessible(two.page);
    await chip(two.page).click();
    await expectAccessible(two.page);
    await two.page.getByRole('button', { name: 'Close' }).click();
  }
  // It is theirs to deal with, also at the next visit.
  await two.page.reload();
  await expect(refused.getByRole('listitem')).toHaveCount(2);
  const last = refused.getByRole('listitem').filter({ hasText: '4,000.00' });
  await last.getByRole('button', { name: 'Try again' }).click();
  await expect(last).toContainText('Still not possible.');
  await openAccount(one.page, 'S-03');
  await book(one.page, 'Deposit', '9000', 'Room for it');
  await expect(two.page.getByText('Room for it')).toBeVisible();
  await last.getByRole('button', { name: 'Try again' }).click();
  await expect(refused.getByRole('listitem')).toHaveCount(1);
  await refused.getByRole('button', { name: 'Dismiss' }).click();
  await expect(refused).toHaveCount(0);
  await expectSame(one.page, two.page);
});

test('a server that is killed, and one that is put back to an older dump, lose nothing', async ({
  openDevice,
  server,
}) => {
  const one = await openDevice();
  const two = await openDevice(await readShareLink(one.page));
  for (const { page } of [one, two]) await openAccount(page, 'S-04');
  await book(one.page, 'Deposit', '1', 'Before the kill');
  await server.kill();
  await book(two.page, 'Deposit', '2', 'While it was dead');
  await server.start();
  await syncNow(one.page, two.page);
  await expectSame(one.page, two.page);
  await server.stop();
  const dump = server.dump();
  await server.start();
  await syncNow(one.page, two.page);
  await book(one.page, 'Deposit', '3', 'After the dump');
  await book(two.page, 'Deposit', '4', 'After it too');
  await expectSame(one.page, two.page);
  await server.kill();
  await book(one.page, 'Deposit', '5', 'On an older server');
  await server.start(dump);
  await syncNow(two.page, one.page);
  await expectSynced(one.page, two.page);
  await syncNow(two.page);
  await expectSame(one.page, two.page);
  for (const { page } of [one, two]) {
    for (const note of [
      'Before the kill',
      'While it was dead',
      'After the dump',
      'After it too',
      'On an older server',
    ]) {
      await expect(page.getByRole('row').filter({ hasText: note })).toHaveCount(1);
    }
    await expect(page.getByText('waiting', { exact: true })).toHaveCount(0);
    await expect(page.getByRole('region', { name: 'Refused commands' })).toHaveCount(0);
  }
});

test('what was saved in any tab is sent, also after the page was closed at once', async ({ openDevice }) => {
  const one = await openDevice();
  const two = await openDevice(await readShareLink(one.page));
  await openAccount(two.page, 'S-05');
  const tab = await one.context.newPage();
  await openLedger(tab);
  await expect(chip(tab)).toHaveText('Sync: Synced by another tab');
  await openAccount(tab, 'S-05');
  await book(tab, 'Deposit', '1', 'By the other tab');
  await expect(two.page.getByText('By the other tab')).toBeVisible();
  await expect(tab.getByText('Confirmed by the server.')).toBeVisible();
  // Who does the syncing is gone: the other takes over.
  await one.page.close();
  await book(tab, 'Deposit', '2', 'After the first was closed');
  await expect(two.page.getByText('After the first was closed')).toBeVisible();
  await expect(chip(tab)).toHaveText('Sync: Synced');
  await one.context.setOffline(true);
  await book(tab, 'Deposit', '3', 'Before the last was closed');
  await tab.close();
  await one.context.setOffline(false);
  await expect(two.page.getByText('Before the last was closed')).toHaveCount(0);
  const next = await one.context.newPage();
  await openLedger(next);
  await expect(two.page.getByText('Before the last was closed')).toBeVisible();
  await expectSame(next, two.page);
});

test('what was saved is sent after the page was closed, as soon as the browser says that there is a network', async ({
  server,
  openDevice,
}) => {
  // The headless shell has Background Sync, and it is always off.
  const { context, close } = await openProfile({ baseURL: server.url, executablePath: findFullChromium() });
  const page = context.pages()[0] ?? (await context.newPage());
  const other = await context.newPage();
  await openLedger(page);
  await expectSynced(page);
  const two = await openDevice(await readShareLink(page));
  // Not the network: the browser believes to be online, and calls at once, and in vain.
  await server.kill();
  await openAccount(page, 'S-07');
  await book(page, 'Deposit', '1', 'Saved, and closed');
  await expect.poll(() => readTags(page)).toEqual(['varve-sync']);
  await page.close();
  await server.start();
  await syncNow(two.page);
  await expectSynced(two.page);
  await openAccount(two.page, 'S-07');
  await expect(two.page.getByText('Saved, and closed')).toHaveCount(0);
  await tellOfNetwork(other, server.url, 'varve-sync');
  // Its line of hints may have died with the server, and be silent: it asks.
  await expect(async () => {
    await syncNow(two.page);
    await expect(two.page.getByText('Saved, and closed')).toBeVisible({ timeout: 1_000 });
  }).toPass();
  await close();
});

test('without a server the ledger says that it stays on the device, and raises no alarm', async ({ page }) => {
  await openLedger(page);
  await expect(chip(page)).toHaveText('Sync: Local only');
  await openAccount(page, 'S-06');
  await book(page, 'Deposit', '1', 'For myself');
  await expect(page.getByRole('row').nth(1)).toContainText('For myself');
  await expect(page.getByText('waiting', { exact: true })).toHaveCount(0);
  await chip(page).click();
  await expect(page.getByText('This copy of the ledger has no server to sync with.')).toBeVisible();
  await expect(page.getByLabel('Share this ledger')).toHaveCount(0);
  await expectAccessible(page);
});

/** Lets the browser call the service worker of an address, as when the network comes back. From a page of whichever. */
async function tellOfNetwork(page: Page, url: string, tag: string): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const registrationId = new Promise<string>((resolve) => {
    session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      const found = registrations.find(({ scopeURL }) => scopeURL === url);
      if (found !== undefined) resolve(found.registrationId);
    });
  });
  await session.send('ServiceWorker.enable');
  const { origin } = new URL(url);
  await session.send('ServiceWorker.dispatchSyncEvent', {
    ...{ origin, registrationId: await registrationId, tag, lastChance: false },
  });
}

/** What the browser was asked to call for. */
async function readTags(page: Page): Promise<readonly string[]> {
  return page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    return (registration as unknown as { sync: { getTags(): Promise<string[]> } }).sync.getTags();
  });
}
