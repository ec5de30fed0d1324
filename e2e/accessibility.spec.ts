import type { Page } from '@playwright/test';
import { expect, expectAccessible, importFile, openLedger, test } from './app.ts';

/** The screens of the demo, by how a user gets there. */
const screens: Record<string, (page: Page) => Promise<void>> = {
  overview: async () => undefined,
  account: async (page) => {
    await page.goto('/#/account/S-01');
    await expect(page.getByRole('row').nth(1)).toBeVisible();
  },
  'transfer with an error': async (page) => {
    await page.goto('/#/account/S-01');
    await page.getByRole('radio', { name: 'Transfer' }).check();
    await page.getByLabel('To account').fill('nobody');
    await page.getByLabel('Amount').fill('1');
    await page.getByRole('button', { name: 'Transfer' }).click();
    await expect(page.getByRole('alert')).toBeVisible();
  },
  'account that is not there': async (page) => {
    await page.goto('/#/account/nobody');
    await expect(page.getByText(/There is no open account/)).toBeVisible();
  },
  'no match': async (page) => {
    await page.getByLabel('Search accounts').fill('nobody at all');
    await expect(page.getByText('No account matches.')).toBeVisible();
  },
  'new account': async (page) => {
    await page.getByRole('button', { name: 'New account' }).click();
    await expect(page.getByLabel('Owner')).toBeVisible();
  },
  'import: choosing': async (page) => {
    await page.getByRole('button', { name: 'Import transactions' }).click();
  },
  'import: malformed lines': async (page) => {
    await importFile(page, {
      name: 'bad.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from('account_id;date;type;amount\n1;2;3;4\n'),
    });
    await expect(page.getByText(/malformed line/)).toBeVisible();
  },
};

for (const colorScheme of ['light', 'dark'] as const) {
  for (const [name, go] of Object.entries(screens)) {
    test(`axe finds nothing on "${name}" (${colorScheme})`, async ({ page }) => {
      await page.emulateMedia({ colorScheme });
      await openLedger(page);
      await go(page);
      await expectAccessible(page);
    });
  }
}

test('axe finds nothing on a phone', async ({ page }) => {
  await openLedger(page);
  await page.setViewportSize({ width: 390, height: 800 });
  await expectAccessible(page);
  await page.goto('/#/account/S-01');
  await expect(page.getByRole('row').nth(1)).toBeVisible();
  await expectAccessible(page);
});
