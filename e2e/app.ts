import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { type BrowserContext, test as base, chromium, expect, type Page } from '@playwright/test';
import { browserArguments, findChromium } from '../scripts/chromium.mjs';

/**
 * The demo in a browser with a profile on disk: a normal context is incognito, and Chromium keeps its IndexedDB in
 * memory. A test fails on any error that a page logs.
 */
export const test = base.extend<{ readonly errors: string[] }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixture's needs from this pattern
  errors: async ({}, use) => {
    const errors: string[] = [];
    await use(errors);
    expect(errors).toEqual([]);
  },
  context: async ({ baseURL, errors }, use) => {
    const { context, close } = await openProfile({ baseURL: baseURL ?? '' });
    context.on('page', (page) => watchErrors(page, errors));
    for (const page of context.pages()) watchErrors(page, errors);
    await use(context);
    await close();
  },
  page: async ({ context }, use) => use(context.pages()[0] ?? (await context.newPage())),
});

export { expect };

export async function openProfile(options: {
  readonly baseURL: string;
  readonly executablePath?: string | undefined;
}): Promise<{ readonly context: BrowserContext; readonly close: () => Promise<void> }> {
  const profile = mkdtempSync(join(tmpdir(), 'varve-e2e-'));
  const context = await chromium.launchPersistentContext(profile, {
    baseURL: options.baseURL,
    executablePath: options.executablePath ?? findChromium() ?? '',
    args: [...browserArguments],
    viewport: { width: 1280, height: 800 },
  });
  return {
    context,
    close: async () => {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

export function watchErrors(page: Page, errors: string[]): void {
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
}

/** Opens the demo and waits until it shows its accounts and can do without the network. */
export async function openLedger(page: Page, address = '/'): Promise<void> {
  await page.goto(address);
  await expect(page.locator('[data-account]').first()).toBeVisible();
  await page.evaluate(async () => void (await navigator.serviceWorker.ready));
}

/** Opens the to-do list and waits until it can be used, with or without the network. */
export async function openTasks(page: Page): Promise<void> {
  await page.goto('/tasks/');
  await expect(page.locator('.new-todo')).toBeVisible();
  await page.evaluate(async () => void (await navigator.serviceWorker.ready));
}

export async function importFile(page: Page, file: string | { name: string; mimeType: string; buffer: Buffer }) {
  await page.getByRole('button', { name: 'Import transactions' }).click();
  await page.getByLabel('Transactions file').setInputFiles(file);
}

/** Every balance in the list of accounts, in hellers, read as a user would: by scrolling through it. */
export function readBalances(page: Page): Promise<Record<string, number>> {
  return page.evaluate(async () => {
    const scroller = document.querySelector('.scroller');
    if (scroller === null) throw new Error('no list');
    const balances: Record<string, number> = {};
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    for (let top = 0; top <= scroller.scrollHeight; top += scroller.clientHeight / 2) {
      scroller.scrollTo({ top });
      await frame();
      await frame();
      for (const link of scroller.querySelectorAll<HTMLElement>('[data-account]')) {
        const text = link.querySelector('.money')?.textContent ?? '';
        balances[link.dataset.account ?? ''] = Math.round(Number(text.replaceAll(',', '').replace('−', '-')) * 100);
      }
    }
    scroller.scrollTo({ top: 0 });
    return balances;
  });
}

/** Runs axe on the page as it is now. */
export async function expectAccessible(page: Page): Promise<void> {
  const { violations, passes } = await new AxeBuilder({ page }).analyze();
  expect(passes.length).toBeGreaterThan(10);
  expect(
    violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map(({ html }) => html).join(' ')}`),
  ).toEqual([]);
}
