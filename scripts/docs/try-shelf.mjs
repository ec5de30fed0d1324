// Uses the guide's app in a browser as its reader would: what the pages say that one sees is looked for here.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { chromium } from 'playwright-core';
import { createServer, preview } from 'vite';
import { browserArguments, findChromium } from '../chromium.mjs';

/** The app at the end of the page "Start", from the server for development. */
export async function tryStart(root) {
  const server = await createServer({
    root,
    logLevel: 'error',
    server: { host: '127.0.0.1', port: 0 },
    // Vite finds out late what a worker imports, and then loads the page again: not in the middle of what is tried.
    optimizeDeps: { include: ['varve/worker'] },
  });
  await server.listen();
  await tryApp(server.resolvedUrls.local[0], async ({ page, openTab }) => {
    await add(page, 'Drill');
    await lend(page, 'Drill', 'Ann');
    await page.reload();
    await expect(item(page, 'Drill')).toContainText('Ann has it');

    const tab = await openTab();
    await item(tab, 'Drill').getByRole('button', { name: 'Back again' }).click();
    await expect(page.getByLabel('Lend Drill to')).toBeVisible();
  });
  await server.close();
}

/** The app at the end of the page "Data", and a picture of it where one is wanted. */
export async function tryFinished(root, picture) {
  const rings = [];
  const server = await serveBuilt(root, rings);
  await tryApp(server.resolvedUrls.local[0], async ({ page, openTab, setOffline }) => {
    for (const name of ['Tent', 'Drill', 'Cake tin', 'Ladder', 'Saw', 'Stove']) await add(page, name);
    await expect(page.getByText('The last one is event 6.')).toBeVisible();
    const list = page.locator('section');
    await expect(list).toContainText('5 of 6');
    await expect(item(page, 'Tent')).toBeHidden();
    await list.getByRole('button', { name: 'Next' }).click();
    await expect(list.getByRole('listitem')).toHaveText([/^Tent/]);
    await list.getByRole('button', { name: 'First' }).click();
    await page.getByLabel('Search').fill('S');
    await expect(list.getByRole('listitem')).toHaveText([/^Saw/, /^Stove/]);

    await item(page, 'Stove').getByLabel('broken').click();
    await expect(item(page, 'Stove').getByLabel('broken')).toBeChecked();
    await expect(item(page, 'Stove').getByRole('button', { name: 'Lend' })).toBeDisabled();
    await page.getByLabel('Search').fill('');

    // Offline everything goes on, and what has to go out waits.
    await setOffline(true);
    await lend(page, 'Drill', 'Ann');
    await expect(page.getByText('The reactor "bell" failed')).toBeVisible();
    await setOffline(false);
    await expect.poll(() => rings).toEqual(['Ann has it']);
    await expect(page.getByText('The reactor "bell" failed')).toBeHidden();

    await reserve(page, 'Tent', 'Ben', '2030-07-01');
    await expect(page.getByText('2030-07-01: Tent, for Ben')).toBeVisible();
    await reserve(page, 'Tent', 'Cleo', '2030-07-01');
    await expect(page.getByText('Somebody has it on that day.')).toBeVisible();
    await reserve(page, 'Ladder', 'Ben', '2030-07-02');
    await expect(page.getByText('2030-07-02: Ladder, for Ben')).toBeVisible();

    const tab = await openTab();
    await expect(item(tab, 'Drill')).toContainText('Ann has it');
    await lend(tab, 'Saw', 'Dora');
    await expect(item(page, 'Saw')).toContainText('Dora has it');
    await tab.close();

    await page.reload();
    await expect(page.getByText('6 things, 2 lent')).toBeVisible();
    await expect(page.getByText('The last one is event 6.')).toBeVisible();
    await expect(page.getByText('2030-07-02: Ladder, for Ben')).toBeVisible();
    await expect(page.getByText(/^Saved: 11 events/)).toBeVisible();
    if (picture !== undefined) await page.screenshot({ path: picture, fullPage: true });

    await page.getByRole('button', { name: 'Check' }).click();
    await expect(page.getByRole('status')).toHaveText('All 11 events are as they were written.');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Back up' }).click(),
    ]);
    await lend(page, 'Ladder', 'Ann');
    await page.getByLabel('Restore').setInputFiles(await download.path());
    await expect(page.getByRole('status')).toHaveText('Restored 11 events.');
    await expect(page.getByText('6 things, 2 lent')).toBeVisible();
  });
  await server.close();
}

/** The app at the end of the page "Sync", on two devices and a server on `syncPort`. */
export async function trySynced(root, syncPort) {
  const server = await serveBuilt(root, []);
  const { port } = new URL(server.resolvedUrls.local[0]);
  // The addresses are those of the guide, whatever ports are free here.
  const rules = `MAP localhost:5173 127.0.0.1:${port},MAP localhost:4180 127.0.0.1:${syncPort}`;
  const house = 'http://localhost:5173/';
  const meet = async (one, two) => {
    await expect(item(two.page, 'Drill')).toBeVisible();
    await one.setOffline(true);
    await two.setOffline(true);
    await lend(one.page, 'Drill', 'Ann');
    await lend(two.page, 'Drill', 'Ben');
    await expect(two.page.getByText(/^1 saved here and not synced yet\. .* Next try at/)).toBeVisible();
    await one.setOffline(false);
    await one.page.getByRole('button', { name: 'Sync now' }).click();
    await expect(one.page.getByText('Synced.')).toBeVisible();

    // Ann was first.
    await two.setOffline(false);
    await two.page.getByRole('button', { name: 'Sync now' }).click();
    await expect(item(two.page, 'Drill')).toContainText('Ann has it');
    await expect(two.page.getByText('lend: already-lent')).toBeVisible();
    await item(one.page, 'Drill').getByRole('button', { name: 'Back again' }).click();
    await expect(two.page.getByLabel('Lend Drill to')).toBeVisible();
    await two.page.getByRole('button', { name: 'Try again' }).click();
    await expect(item(one.page, 'Drill')).toContainText('Ben has it');
    await expect(two.page.getByText('lend: already-lent')).toBeHidden();
    await two.page.reload();
    await expect(item(two.page, 'Drill')).toContainText('Ben has it');
  };
  await tryApp(
    house,
    async (one) => {
      await add(one.page, 'Drill');
      await expect(one.page.getByText('The last one is on every device.')).toBeVisible();
      await expect(one.page.getByText('Synced.')).toBeVisible();
      const invitation = await one.page.getByRole('link', { name: 'Open on another device' }).getAttribute('href');
      await tryApp(new URL(invitation, house).href, (two) => meet(one, two), rules);
    },
    rules,
  );
  await server.close();
}

function serveBuilt(root, rings) {
  return preview({
    root,
    logLevel: 'error',
    preview: { host: '127.0.0.1', port: 0 },
    plugins: [
      { name: 'bell', configurePreviewServer: ({ middlewares }) => void middlewares.use('/bell', answerBell(rings)) },
    ],
  });
}

const item = (page, name) =>
  page.locator('section, main').last().getByRole('listitem').filter({ hasText: name }).first();

async function add(page, name) {
  await page.getByLabel('New thing').fill(name);
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  // The form empties itself once the thing is saved.
  await expect(page.getByLabel('New thing')).toHaveValue('');
}

async function lend(page, name, to) {
  await page.getByLabel(`Lend ${name} to`).fill(to);
  await page.getByLabel(`Lend ${name} to`).press('Enter');
  await expect(item(page, name)).toContainText(`${to} has it`);
}

async function reserve(page, thing, by, day) {
  await page.getByLabel('Thing', { exact: true }).selectOption({ label: thing });
  await page.getByLabel('Who reserves').fill(by);
  await page.getByLabel('Day').fill(day);
  await page.getByRole('button', { name: 'Reserve' }).click();
}

/** Opens an app on a profile of its own, closes that again, and fails on any error that a page logs. */
async function tryApp(url, work, rules) {
  // A normal context is incognito, and Chromium keeps its IndexedDB in memory.
  const profile = mkdtempSync(join(tmpdir(), 'varve-guide-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: findChromium(),
    args: [...browserArguments, ...(rules === undefined ? [] : [`--host-resolver-rules=${rules}`])],
    viewport: { width: 820, height: 800 },
  });
  context.setDefaultTimeout(10_000);
  const errors = [];
  const openTab = async (page) => {
    const tab = page ?? (await context.newPage());
    tab.on('pageerror', (error) => errors.push(String(error)));
    tab.on('console', (message) => {
      if (message.type() === 'error' && !isExpected(message.location().url)) errors.push(message.text());
    });
    await tab.goto(url);
    return tab;
  };
  try {
    const page = await openTab(context.pages()[0]);
    await work({ page, openTab: () => openTab(), setOffline: (isOffline) => context.setOffline(isOffline) });
    expect(errors).toEqual([]);
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

/** What the browser says of requests that were made offline. */
const isExpected = (url) => url.endsWith('/bell') || url.includes('/sync/');

/** The bell of the page "Reactions". */
function answerBell(rings) {
  return async (request, response) => {
    rings.push(Buffer.concat(await request.toArray()).toString());
    response.writeHead(204).end();
  };
}
