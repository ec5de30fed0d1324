import { appendFileSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { preview } from 'vite';
import { findFullChromium } from '../scripts/chromium.mjs';
import { expect, openLedger, openProfile, test } from './app.ts';

test('Chromium finds nothing that keeps it from being installed', async ({ baseURL }) => {
  // The headless shell knows nothing of installing and always agrees.
  const { context, close } = await openProfile({ baseURL: baseURL ?? '', executablePath: findFullChromium() });
  const page = context.pages()[0] ?? (await context.newPage());
  await openLedger(page);
  const session = await context.newCDPSession(page);
  const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
  expect(installabilityErrors).toEqual([]);
  const { errors, data } = await session.send('Page.getAppManifest');
  expect(errors).toEqual([]);
  expect(JSON.parse(data ?? '{}')).toMatchObject({ display: 'standalone', start_url: '/' });
  await close();
});

test('an app that can be installed says so, and nothing else', async ({ page }) => {
  await openLedger(page);
  const offline = page.getByText('This app works without a network from now on.');
  await expect(offline).toBeVisible();
  await page.getByRole('button', { name: 'Dismiss' }).click();
  // The headless shell never offers it by itself.
  await page.evaluate(() => dispatchEvent(new Event('beforeinstallprompt')));
  await expect(page.getByText('This app can be installed on this device.')).toBeVisible();
  await expect(offline).toBeHidden();
});

test('a new version waits, says so, and takes over when told to', async () => {
  const { page, release, close } = await openSite();
  await expect(page.getByText('This app works without a network from now on.')).toBeVisible();
  await release();
  await expect(page.getByText('A new version is ready.')).toBeVisible();
  await Promise.all([
    page.waitForEvent('load'),
    page.getByRole('button', { name: 'Reload with the new version' }).click(),
  ]);
  await expect(page.getByText('24 accounts', { exact: true })).toBeVisible();
  await expect(page.getByText('A new version is ready.')).toBeHidden();
  await close();
});

test('a new version that one tab takes is taken by all, once, also by the one of the first visit', async () => {
  const { context, page, release, close } = await openSite();
  const other = await context.newPage();
  await openLedger(other);
  await release();
  const loads: string[] = [];
  for (const [name, tab] of Object.entries({ first: page, other })) {
    await expect(tab.getByText('A new version is ready.')).toBeVisible();
    tab.on('load', () => loads.push(name));
  }
  await other.getByRole('button', { name: 'Reload with the new version' }).click();
  await expect.poll(() => loads.toSorted()).toEqual(['first', 'other']);
  for (const tab of [page, other]) {
    await expect(tab.getByText('24 accounts', { exact: true })).toBeVisible();
    await expect(tab.getByText('A new version is ready.')).toBeHidden();
  }
  expect(loads).toHaveLength(2);
  await close();
});

test('a new version that is taken before the tabs know of it is taken by all', async () => {
  const { context, page, release, close } = await openSite();
  const other = await context.newPage();
  await openLedger(other);
  await other.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    registration.addEventListener('updatefound', () => {
      const next = registration.installing;
      next?.addEventListener('statechange', () => {
        // The notice comes 200 ms later.
        if (next.state === 'installed') next.postMessage({ type: 'SKIP_WAITING' });
      });
    });
  });
  const loads = [page, other].map((tab) => tab.waitForEvent('load'));
  await release();
  await Promise.all(loads);
  for (const tab of [page, other]) await expect(tab.getByText('24 accounts', { exact: true })).toBeVisible();
  await close();
});

/** The demo at its first visit, on a server of its own that can be given the next version. */
async function openSite() {
  const site = mkdtempSync(join(tmpdir(), 'varve-site-'));
  cpSync(join(import.meta.dirname, '../dist-demo'), site, { recursive: true });
  const server = await preview({ build: { outDir: site }, preview: { host: '127.0.0.1', port: 0 } });
  const profile = await openProfile({ baseURL: server.resolvedUrls?.local[0] ?? '' });
  const page = profile.context.pages()[0] ?? (await profile.context.newPage());
  await openLedger(page);
  return {
    context: profile.context,
    page,
    /** Resolves when the page looks for it. */
    release: async () => {
      appendFileSync(join(site, 'service-worker.js'), '\n// the next version\n');
      // The page may be gone before it can answer.
      await page.evaluate(() => void navigator.serviceWorker.ready.then((registration) => registration.update()));
    },
    close: async () => {
      await profile.close();
      await new Promise<void>((resolve) => server.httpServer.close(() => resolve()));
      rmSync(site, { recursive: true, force: true });
    },
  };
}
