import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserContext, Page } from '@playwright/test';
import { expect, importFile, openLedger, readBalances, test } from './app.ts';
import { generateStatement } from './statement.ts';

const shared = join(import.meta.dirname, '../../shared/data');
const realFile = join(shared, 'bank-transactions-1993.csv.gz');
const realExpected = join(shared, 'bank-transactions-1993.expected.json');

test('the real statement: every balance is right, with the network off too', async ({ context, page }) => {
  if (!existsSync(realFile))
    console.log('SKIPPED: ../shared/data is missing, so the real bank transactions are not tested.');
  test.skip(!existsSync(realFile), '../shared/data is missing');
  const { byAccount } = JSON.parse(readFileSync(realExpected, 'utf8')) as {
    readonly byAccount: Record<string, { readonly balanceHellers: number }>;
  };
  const balances = Object.fromEntries(Object.entries(byAccount).map(([id, entry]) => [id, entry.balanceHellers]));
  expect(Object.keys(balances)).toHaveLength(1229);
  await openLedger(page);
  await importFile(page, realFile);
  await expect(page.getByText('Imported 49,102 transactions on 1,229 accounts')).toBeVisible({ timeout: 45_000 });
  await checkOffline(context, page, balances, '2378');
});

test('a generated statement: every balance is right, with the network off too', async ({ context, page }) => {
  const { gzip, balances } = generateStatement(4000, 150);
  await openLedger(page);
  await importFile(page, { name: 'generated.csv.gz', mimeType: 'application/gzip', buffer: gzip });
  await expect(page.getByText('Imported 4,000 transactions on 150 accounts')).toBeVisible({ timeout: 45_000 });
  await checkOffline(context, page, balances, '117');
});

/** Online balances, network off, reload, a withdrawal, reload: everything is there. */
async function checkOffline(context: BrowserContext, page: Page, balances: Record<string, number>, id: string) {
  await page.getByRole('button', { name: 'Done' }).click();
  expect(await readBalances(page)).toEqual(balances);

  await context.setOffline(true);
  await page.reload();
  await expect(page.locator('[data-account]').first()).toBeVisible();
  expect(await readBalances(page)).toEqual(balances);

  await page.goto(`/#/account/${id}`);
  await page.getByRole('radio', { name: 'Withdraw' }).check();
  await page.getByLabel('Amount').fill('12.34');
  await page.getByRole('button', { name: 'Withdraw' }).click();
  await expect(page.getByText('Saved: withdraw of 12.34.')).toBeVisible();
  await expect(page.getByRole('row').nth(1)).toContainText('−12.34');

  await page.reload();
  await expect(page.getByRole('row').nth(1)).toContainText('−12.34');
  expect(await readBalances(page)).toEqual({ ...balances, [id]: (balances[id] ?? 0) - 1234 });
  await context.setOffline(false);
}

test('a deposit in one tab shows in the other', async ({ context, page }) => {
  await openLedger(page);
  await page.goto('/#/account/S-01');
  const other = await context.newPage();
  await other.goto('/#/account/S-01');
  const balance = other.getByTestId('balance');
  const before = await balance.textContent();
  await page.getByLabel('Amount').fill('1000');
  await page.getByLabel('Note').fill('From the other tab');
  await page.getByRole('button', { name: 'Deposit' }).click();
  await expect(other.getByRole('row').nth(1)).toContainText('From the other tab');
  await expect(balance).not.toHaveText(before ?? '');
  await expect(balance).toHaveText((await page.getByTestId('balance').textContent()) ?? '');
});

test('five tabs at once: every command is saved, and all tabs agree', async ({ context, page }) => {
  await openLedger(page);
  const pages = [page, ...(await Promise.all(Array.from({ length: 4 }, () => context.newPage())))];
  await Promise.all(pages.map((tab) => tab.goto('/#/account/S-02')));
  await Promise.all(
    pages.map(async (tab, index) => {
      for (let turn = 1; turn <= 3; turn += 1) {
        await tab.getByLabel('Amount').fill('1');
        await tab.getByLabel('Note').fill(`tab ${index} turn ${turn}`);
        await tab.getByRole('button', { name: 'Deposit' }).click();
        await expect(tab.getByText(`tab ${index} turn ${turn}`)).toBeVisible();
      }
    }),
  );
  const texts = await Promise.all(pages.map((tab) => tab.getByTestId('balance').textContent()));
  expect(new Set(texts).size).toBe(1);
  for (const tab of pages) await expect(tab.locator('tbody tr', { hasText: /tab \d turn \d/ })).toHaveCount(15);
});
