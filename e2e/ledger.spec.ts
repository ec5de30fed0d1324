import { expect, importFile, openLedger, readBalances, test } from './app.ts';
import { generateStatement } from './statement.ts';

const asFile = (text: string, name = 'statement.csv') => ({ name, mimeType: 'text/csv', buffer: Buffer.from(text) });

test('the first start shows a sample, once', async ({ context, page }) => {
  await openLedger(page);
  await expect(page.getByText('24 accounts', { exact: true })).toBeVisible();
  const other = await context.newPage();
  await openLedger(other);
  await other.reload();
  await expect(other.getByText('24 accounts', { exact: true })).toBeVisible();
  await expect(other.getByText(/^Saved · 1,8\d\d events/)).toBeVisible();
});

test('malformed lines are named by number, and nothing is imported', async ({ page }) => {
  await openLedger(page);
  const before = await readBalances(page);
  const lines = generateStatement(50, 5).text.split('\n');
  lines[10] = '9;104;930230;"PRIJEM";"VKLAD";1.00;0.00;"";;';
  lines[20] = '19;104;930201;"GIFT";"VKLAD";1.00;0.00;"";;';
  await importFile(page, asFile(lines.join('\n')));
  await expect(page.getByText('2 malformed lines in statement.csv. Nothing was imported.')).toBeVisible();
  await expect(page.getByText('Line 11: date "930230" is neither YYMMDD nor YYYY-MM-DD')).toBeVisible();
  await expect(page.getByText('Line 21: type "GIFT"')).toBeVisible();
  await page.getByRole('button', { name: 'Done' }).click();
  expect(await readBalances(page)).toEqual(before);
});

test('a file that is no statement is refused with what is wrong', async ({ page }) => {
  await openLedger(page);
  await importFile(page, asFile('name;age\nAda;36\n'));
  await expect(
    page.getByText('Line 1: The header lacks account_id, date, type, amount; it has name, age.'),
  ).toBeVisible();
  await page.getByRole('button', { name: 'Import another file' }).click();
  await page.getByLabel('Transactions file').setInputFiles({
    name: 'torn.gz',
    mimeType: 'application/gzip',
    buffer: generateStatement(5000, 5).gzip.subarray(0, 2000),
  });
  await expect(page.getByText(/could not be read as text or as gzip/)).toBeVisible();
});

test('an import can be cancelled, and leaves nothing behind', async ({ page }) => {
  await openLedger(page);
  const before = await readBalances(page);
  // Too large to be through before the button is pressed.
  await importFile(page, asFile(generateStatement(150_000, 500).text));
  const saving = page.getByText(/^Saving [1-9][\d,]* of /);
  await saving.waitFor();
  await page.getByRole('button', { name: 'Cancel the import' }).click();
  await expect(page.getByText('The import was cancelled. Nothing was saved.')).toBeVisible();
  await page.getByRole('button', { name: 'Done' }).click();
  expect(await readBalances(page)).toEqual(before);
  await page.reload();
  await expect(page.getByText('24 accounts', { exact: true })).toBeVisible();
});

test('the same file again changes nothing', async ({ page }) => {
  await openLedger(page);
  const { text, balances } = generateStatement(300, 10);
  await importFile(page, asFile(text));
  await expect(page.getByText('Imported 300 transactions on 10 accounts')).toBeVisible();
  await page.getByRole('button', { name: 'Import another file' }).click();
  await page.getByLabel('Transactions file').setInputFiles(asFile(text, 'renamed.csv'));
  await expect(page.getByText('renamed.csv was imported before. Nothing changed.')).toBeVisible();
  await page.getByRole('button', { name: 'Done' }).click();
  expect(await readBalances(page)).toEqual(balances);
});

test('a file can be dropped on the page', async ({ page }) => {
  await openLedger(page);
  const { text } = generateStatement(100, 4);
  const data = await page.evaluateHandle((content) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([content], 'dropped.csv', { type: 'text/csv' }));
    return transfer;
  }, text);
  await page.dispatchEvent('main', 'dragover', { dataTransfer: data });
  await page.dispatchEvent('main', 'drop', { dataTransfer: data });
  await expect(page.getByText('Imported 100 transactions on 4 accounts from dropped.csv.')).toBeVisible();
});

test('the rule against overdrafts speaks in the form, and nothing is saved', async ({ page }) => {
  await openLedger(page);
  await page.goto('/#/account/S-03');
  const balance = page.getByTestId('balance');
  const before = await balance.textContent();
  await page.getByRole('radio', { name: 'Withdraw' }).check();
  await page.getByLabel('Amount').fill('9000000');
  await page.getByRole('button', { name: 'Withdraw' }).click();
  await expect(page.getByRole('alert')).toContainText('That is more than the account may give.');
  await page.getByLabel('Amount').fill('nothing');
  await page.getByRole('button', { name: 'Withdraw' }).click();
  await expect(page.getByRole('alert')).toContainText('Enter an amount in crowns');
  await expect(balance).toHaveText(before ?? '');
});

test('a transfer moves money between two accounts, or not at all', async ({ page }) => {
  await openLedger(page);
  const before = await readBalances(page);
  await page.goto('/#/account/S-04');
  await page.getByRole('radio', { name: 'Transfer' }).check();
  await page.getByLabel('To account').fill('S-05');
  await page.getByLabel('Amount').fill('100');
  await page.getByRole('button', { name: 'Transfer' }).click();
  await expect(page.getByText('Saved: transfer of 100.00.')).toBeVisible();
  await page.getByLabel('To account').fill('nobody');
  await page.getByLabel('Amount').fill('100');
  await page.getByRole('button', { name: 'Transfer' }).click();
  await expect(page.getByRole('alert')).toContainText('There is no open account with this number.');
  const after = { ...before, 'S-04': (before['S-04'] ?? 0) - 10_000, 'S-05': (before['S-05'] ?? 0) + 10_000 };
  expect(await readBalances(page)).toEqual(after);
});

test('an account can be opened, used, found and archived', async ({ page }) => {
  await openLedger(page);
  await page.getByRole('button', { name: 'New account' }).click();
  await page.getByLabel('Owner').fill('Zora Testova');
  await page.getByRole('button', { name: 'Open account' }).click();
  await expect(page.getByRole('heading', { name: 'Zora Testova' })).toBeVisible();
  await page.getByLabel('Amount').fill('42');
  await page.getByRole('button', { name: 'Deposit' }).click();
  await expect(page.getByTestId('balance')).toHaveText('42.00');
  await page.getByLabel('Search accounts').fill('zora');
  await expect(page.getByText('1 of 25 accounts')).toBeVisible();
  await expect(page.locator('[data-account]')).toHaveCount(1);
  await page.getByLabel('Search accounts').fill('');
  await page.getByLabel('Sort by').selectOption('Lowest balance');
  await expect(page.locator('[data-account]').first()).toContainText('Zora Testova');
  page.on('dialog', (dialog) => void dialog.accept());
  await page.getByRole('button', { name: 'Archive this account' }).click();
  await expect(page.getByText(/There is no open account/)).toBeVisible();
  await expect(page.getByText('24 accounts', { exact: true })).toBeVisible();
});

test('the list keeps only what is in sight in the document', async ({ page }) => {
  await openLedger(page);
  await importFile(page, asFile(generateStatement(3000, 2000).text));
  await expect(page.getByText(/Imported 3,000/)).toBeVisible();
  await page.getByRole('button', { name: 'Done' }).click();
  await expect(page.getByText('2,000 accounts', { exact: true })).toBeVisible();
  expect(await page.locator('[data-account]').count()).toBeLessThan(60);
});

test('a full device is said, and keeps nothing of the import', async ({ context, page, baseURL }) => {
  // From before the first write: Chromium remembers for a while how much room a site has.
  const session = await context.newCDPSession(page);
  const origin = new URL(baseURL ?? '').origin;
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 3_000_000 });
  await openLedger(page);
  const before = await readBalances(page);
  await importFile(page, asFile(generateStatement(60_000, 100).text));
  await expect(
    page.getByText(/There is no room left for the database "varve-ledger".*Nothing was imported/),
  ).toBeVisible();
  await page.getByRole('button', { name: 'Done' }).click();
  expect(await readBalances(page)).toEqual(before);
  // Chromium counts what the import had written for as long as its journal is not tidied up: room is made, and tried for
  // until it is believed.
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 100_000_000 });
  await page.goto('/#/account/S-01');
  await page.getByLabel('Amount').fill('5');
  await expect(async () => {
    await page.getByRole('button', { name: 'Deposit' }).click();
    await expect(page.getByText('Saved: deposit of 5.00.')).toBeVisible({ timeout: 1_000 });
  }).toPass({ timeout: 30_000 });
});

test('cleared site data is said, and the book starts over only when told to', async ({ page }) => {
  await openLedger(page);
  // As a browser does that evicts the database: no page of the app is open.
  await page.goto('/icon.svg');
  await page.evaluate(
    () =>
      new Promise((resolve) => {
        indexedDB.deleteDatabase('varve-ledger').onsuccess = resolve;
      }),
  );
  await page.goto('/');
  await expect(page.getByRole('alert')).toContainText('are gone: site data was cleared');
  await expect(page.getByText('Not saved')).toBeVisible();
  await page.getByRole('button', { name: 'Start over with nothing' }).click();
  await expect(page.getByText('24 accounts', { exact: true })).toBeVisible();
});
