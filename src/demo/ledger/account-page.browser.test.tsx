import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { renderPage } from '../fixtures/page.tsx';
import { requireElement } from '../fixtures/require-element.ts';
import { openSlowClient } from '../fixtures/slow-client.ts';
import { AccountPage } from './account-page.tsx';
import { Account, ledger } from './ledger.ts';

/** The page of an account that has 1,000.00. */
async function openPage() {
  const slow = openSlowClient(ledger, Date.UTC(2025, 11, 31, 23, 30));
  await slow.client.execute(Account, 'ada', 'open', { owner: 'Ada' });
  await slow.client.execute(Account, 'ada', 'deposit', { amount: 100_000, note: '' });
  const page = renderPage(slow.client, <AccountPage id="ada" />);
  await expect.poll(() => page.container.querySelectorAll('tbody tr').length).toBe(2);
  return { ...slow, page };
}

describe('the page of an account', () => {
  it('shows what happened on the days of Prague, also where no day was booked', async () => {
    const { page } = await openPage();
    const days = [...page.container.querySelectorAll('td:first-child')].map(({ textContent }) => textContent);
    expect(days).toEqual(['2026-01-01', '2026-01-01']);
    await page.unmount();
  });

  it('says why the account could not be archived, until it is', async () => {
    vi.stubGlobal('confirm', () => true);
    onTestFinished(() => {
      vi.unstubAllGlobals();
    });
    const { hold, refuse, letThrough, page } = await openPage();
    const archive = () => requireElement<HTMLButtonElement>(page.container, '.page-foot button').click();
    const alert = () => page.container.querySelector('.page-foot [role="alert"]')?.textContent;
    hold();
    archive();
    await refuse();
    await expect.poll(alert).toBe('The device is full.');
    archive();
    await letThrough();
    await expect.poll(() => page.text()).toContain('There is no open account “ada”.');
    await page.unmount();
  });
});
