import { describe, expect, it } from 'vitest';
import { userEvent } from 'vitest/browser';
import { renderPage, settle } from '../fixtures/page.tsx';
import { requireElement } from '../fixtures/require-element.ts';
import { openSlowClient } from '../fixtures/slow-client.ts';
import { Accounts, ledger } from './ledger.ts';
import { NewAccount } from './new-account.tsx';

/** The dialog, with an owner in it. */
async function openDialog(owner: string) {
  const slow = openSlowClient(ledger);
  const { ready, rows } = slow.client.mirror(Accounts);
  await ready;
  const page = renderPage(slow.client, <NewAccount />);
  await expect.poll(() => page.container.querySelector('dialog')).not.toBeNull();
  const find = <Found extends Element>(selector: string) => requireElement<Found>(page.container, selector);
  const field = find<HTMLInputElement>('[name="owner"]');
  const show = () => userEvent.click(find('button.plain'));
  await show();
  await userEvent.fill(field, owner);
  return {
    ...slow,
    ...{ page, find, field, show },
    dialog: find<HTMLDialogElement>('dialog'),
    owners: () => [...rows.values()].map((row) => row.owner),
  };
}

describe('the dialog of a new account', () => {
  it('opens one account, however often Enter is pressed while that takes long', async () => {
    const { hold, letThrough, find, dialog, owners, client, page } = await openDialog('Ada');
    const button = find('[type="submit"]');
    hold();
    await userEvent.keyboard('{Enter}{Enter}');
    await expect.poll(() => button.getAttribute('aria-disabled')).toBe('true');
    await userEvent.keyboard('{Enter}');
    await letThrough();
    await expect.poll(() => dialog.open).toBe(false);
    await settle();
    expect(client.status.getState().saving).toBe(0);
    expect(owners()).toEqual(['Ada']);
    expect(button.getAttribute('aria-disabled')).toBe('false');
    await page.unmount();
  });

  it('does not interrupt who closes it meanwhile, and begins another one', async () => {
    const { hold, letThrough, show, dialog, field, owners, page } = await openDialog('Ada');
    hold();
    await userEvent.keyboard('{Enter}{Escape}');
    await show();
    await userEvent.fill(field, 'Ben');
    await letThrough();
    await expect.poll(owners).toEqual(['Ada']);
    await settle();
    expect([dialog.open, field.value]).toEqual([true, 'Ben']);
    await page.unmount();
  });

  it('says why an account could not be opened, and keeps what was typed', async () => {
    const { hold, refuse, find, dialog, field, page } = await openDialog('Ada');
    hold();
    await userEvent.keyboard('{Enter}');
    await refuse();
    await expect.poll(() => page.container.querySelector('[role="alert"]')?.textContent).toBe('The device is full.');
    expect([dialog.open, field.value]).toEqual([true, 'Ada']);
    expect(find('[type="submit"]').getAttribute('aria-disabled')).toBe('false');
    await page.unmount();
  });
});
