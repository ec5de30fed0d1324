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

test('a new version waits, says so, and takes over when told to', async () => {
  const site = mkdtempSync(join(tmpdir(), 'varve-site-'));
  cpSync(join(import.meta.dirname, '../dist-demo'), site, { recursive: true });
  const server = await preview({ build: { outDir: site }, preview: { host: '127.0.0.1', port: 0 } });
  const { context, close } = await openProfile({ baseURL: server.resolvedUrls?.local[0] ?? '' });
  const page = context.pages()[0] ?? (await context.newPage());
  await openLedger(page);
  await expect(page.getByText('This app works without a network from now on.')).toBeVisible();
  appendFileSync(join(site, 'service-worker.js'), '\n// the next version\n');
  await page.evaluate(async () => void (await (await navigator.serviceWorker.ready).update()));
  await expect(page.getByText('A new version is ready.')).toBeVisible();
  await Promise.all([
    page.waitForEvent('load'),
    page.getByRole('button', { name: 'Reload with the new version' }).click(),
  ]);
  await expect(page.getByText('24 accounts', { exact: true })).toBeVisible();
  await expect(page.getByText('A new version is ready.')).toBeHidden();
  await close();
  await new Promise<void>((resolve) => server.httpServer.close(() => resolve()));
  rmSync(site, { recursive: true, force: true });
});
