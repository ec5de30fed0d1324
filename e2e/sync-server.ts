import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, Page } from '@playwright/test';
import type { PreviewServer } from 'vite';
import { type Endpoint, startEndpoint } from '../scripts/endpoint.mjs';
import { serveDemo } from '../scripts/serve-demo.mjs';
import { test as base, expect, openLedger, openProfile, watchErrors } from './app.ts';

/** The demo with a server of sync that can be killed, started again, and put back to an older dump. */
export interface SyncServer {
  /** Of the page. */
  readonly url: string;
  /** Ends it at once, in the middle of whatever it does. */
  kill(): Promise<void>;
  /** Lets it finish, and dump. */
  stop(): Promise<void>;
  /** On the same port; with a dump, in a new folder. */
  start(restore?: string): Promise<void>;
  /** Where the dump of the last stop is. */
  dump(): string;
  close(): Promise<void>;
}

export async function startSyncServer(): Promise<SyncServer> {
  const folder = mkdtempSync(join(tmpdir(), 'varve-sync-'));
  let dir = join(folder, '1');
  let folders = 1;
  let endpoint: Endpoint | undefined = await startEndpoint({ dir });
  const { url, token } = endpoint;
  const port = Number(new URL(url).port);
  const page: PreviewServer = await serveDemo({ port: 0, endpoint: { url, token } });
  const kill = async () => {
    await endpoint?.kill();
    endpoint = undefined;
  };
  return {
    url: page.resolvedUrls?.local[0] ?? '',
    kill,
    stop: async () => {
      await endpoint?.stop();
      endpoint = undefined;
    },
    start: async (restore) => {
      if (restore !== undefined) {
        folders += 1;
        dir = join(folder, String(folders));
      }
      const args = ['--token', token, ...(restore === undefined ? [] : ['--restore', restore])];
      endpoint = await startEndpoint({ dir, port, args });
    },
    dump: () => join(dir, 'dump.ndjson.gz'),
    close: async () => {
      await kill();
      await page.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A profile of its own, with the ledger open in it. */
export interface Device {
  readonly context: BrowserContext;
  readonly page: Page;
}

interface Fixtures {
  /** Opens the device's own ledger, or the one of a shared link. */
  readonly openDevice: (link?: string) => Promise<Device>;
}

/** One server for a file of tests: each of them shares ledgers of its own. */
export const test = base.extend<Fixtures, { readonly server: SyncServer }>({
  server: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixture's needs from this pattern
    async ({}, use) => {
      const server = await startSyncServer();
      await use(server);
      await server.close();
    },
    { scope: 'worker' },
  ],
  openDevice: async ({ server, errors }, use) => {
    const closings: (() => Promise<void>)[] = [];
    await use(async (link = '/') => {
      const { context, close } = await openProfile({ baseURL: server.url });
      closings.push(close);
      context.on('page', (page) => watchErrors(page, errors));
      const page = context.pages()[0] ?? (await context.newPage());
      watchErrors(page, errors);
      await openLedger(page, link);
      await expectSynced(page);
      return { context, page };
    });
    for (const close of closings) await close();
  },
});

export const chip = (page: Page) => page.getByRole('button', { name: /^Sync: / });

export async function expectSynced(...pages: readonly Page[]): Promise<void> {
  for (const page of pages) await expect(chip(page)).toHaveText(/^Sync: Synced/, { timeout: 30_000 });
}

export async function readShareLink(page: Page): Promise<string> {
  await chip(page).click();
  const link = await page.getByLabel('Share this ledger').inputValue();
  await page.getByRole('button', { name: 'Close' }).click();
  return link;
}

/** Does not wait until a try is due. */
export async function syncNow(...pages: readonly Page[]): Promise<void> {
  for (const page of pages) {
    await chip(page).click();
    await page.getByRole('button', { name: 'Sync now' }).click();
    await page.getByRole('button', { name: 'Close' }).click();
  }
}

/** Without a reload, which would begin a new visit. */
export async function openAccount(page: Page, id: string): Promise<void> {
  await page.evaluate((hash) => {
    location.hash = hash;
  }, `/account/${id}`);
  await expect(page.getByText(`${id} · `).last()).toBeVisible();
}

/** On the page of an account; resolves when it is saved. */
export async function book(page: Page, kind: 'Deposit' | 'Withdraw', amount: string, note = ''): Promise<void> {
  await page.getByRole('radio', { name: kind }).check();
  await page.getByLabel('Amount').fill(amount);
  await page.getByLabel('Note').fill(note);
  await page.getByRole('button', { name: kind }).click();
  await expect(page.getByText(`Saved: ${kind.toLowerCase()} of`)).toBeVisible();
}

/** On the page of an account: that many deposits, each a command of its own, as fast as the form takes them. */
export async function bookMany(page: Page, count: number): Promise<void> {
  await page.getByRole('radio', { name: 'Deposit' }).check();
  await page.getByLabel('Amount').evaluate(async (input: HTMLInputElement, times) => {
    const isSaving = () => document.querySelector('form [aria-disabled="true"]') !== null;
    for (let turn = 1; turn <= times; turn += 1) {
      input.value = String(turn);
      input.form?.requestSubmit();
      do await new Promise((resolve) => setTimeout(resolve));
      while (isSaving());
    }
  }, count);
}

/** Where the log of a page ends, as it stands on disk: two with the same order hash are the same from their start. */
export function readEnd(page: Page): Promise<{ readonly head: number; readonly order: string }> {
  return page.evaluate(async () => {
    const log = new URLSearchParams(location.search).get('log');
    const names = (await indexedDB.databases()).map(({ name = '' }) => name);
    const name = log !== null && names.includes(`varve-ledger-${log}`) ? `varve-ledger-${log}` : 'varve-ledger';
    const finished = <Result>(request: IDBRequest<Result>) =>
      new Promise<Result>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const database = await finished(indexedDB.open(name));
    const { head, order } = await finished(database.transaction('meta').objectStore('meta').get('log'));
    database.close();
    return { head, order: Array.from(order as Uint8Array, (byte) => byte.toString(16).padStart(2, '0')).join('') };
  });
}

/** Both have everything, and in the same order. */
export async function expectSame(one: Page, other: Page): Promise<void> {
  await expect(async () => {
    expect(await readEnd(one)).toEqual(await readEnd(other));
  }).toPass({ timeout: 30_000 });
  await expectSynced(one, other);
}
