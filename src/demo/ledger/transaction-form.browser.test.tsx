import { useRow } from 'varve/react';
import { describe, expect, it } from 'vitest';
import { userEvent } from 'vitest/browser';
import { renderPage, settle } from '../fixtures/page.tsx';
import { requireElement } from '../fixtures/require-element.ts';
import { openSlowClient } from '../fixtures/slow-client.ts';
import { Account, Accounts, ledger } from './ledger.ts';
import { TransactionForm } from './transaction-form.tsx';
import '../styles.css';
import './styles.css';

/** The form of an account that has 1,000.00, beside another one. */
async function openForm() {
  const slow = openSlowClient(ledger);
  const { client } = slow;
  for (const id of ['ada', 'ben']) await client.execute(Account, id, 'open', { owner: id });
  await client.execute(Account, 'ada', 'deposit', { amount: 100_000, note: '' });
  const Form = () => {
    const account = useRow(Accounts, 'ada');
    return account && <TransactionForm account={account} />;
  };
  const page = renderPage(client, <Form />);
  await expect.poll(() => page.container.querySelector('form')).not.toBeNull();
  const { rows } = client.mirror(Accounts);
  const find = <Found extends Element = HTMLInputElement>(selector: string) =>
    requireElement<Found>(page.container, selector);
  const field = (name: string) => find(`[name="${name}"]`);
  return {
    ...slow,
    ...{ page, find, field },
    message: () => find('form > p').textContent,
    balanceOf: (id: string) => rows.get(id)?.balance,
    choose: (kind: string) => userEvent.click(find(`[value="${kind}"]`)),
    enter: (name: string, text: string) => userEvent.fill(field(name), text),
    submit: () => find<HTMLFormElement>('form').requestSubmit(),
    /** The names of the fields that are marked as wrong, and described by what the form says. */
    wrong: () =>
      ['to', 'amount', 'note'].filter((name) => {
        const marked = page.container.querySelector(`[name="${name}"][aria-invalid="true"]`);
        return marked?.getAttribute('aria-describedby') === find('form > p').id;
      }),
  };
}

describe('the form of a transaction', () => {
  it('books, says so, and is empty for the next', async () => {
    const { enter, submit, message, field, balanceOf, page } = await openForm();
    await enter('amount', '5');
    await enter('note', 'Rent');
    submit();
    await expect.poll(message).toBe('Saved: deposit of 5.00.');
    expect([field('amount').value, field('note').value]).toEqual(['', '']);
    expect(balanceOf('ada')).toBe(100_500);
    await page.unmount();
  });

  it('books once, however often Enter is pressed while that takes long', async () => {
    const { enter, hold, letThrough, find, message, balanceOf, page, client } = await openForm();
    const button = find('button');
    await enter('amount', '5');
    hold();
    await userEvent.keyboard('{Enter}{Enter}');
    expect(button.getAttribute('aria-disabled')).toBe('true');
    await userEvent.keyboard('{Enter}');
    await letThrough();
    await expect.poll(message).toBe('Saved: deposit of 5.00.');
    await settle();
    expect(client.status.getState().saving).toBe(0);
    expect(balanceOf('ada')).toBe(100_500);
    expect(button.getAttribute('aria-disabled')).toBe('false');
    await page.unmount();
  });

  it('keeps what is typed while it saves', async () => {
    const { enter, hold, letThrough, submit, message, field, page } = await openForm();
    await enter('amount', '5');
    await enter('note', 'Rent');
    hold();
    submit();
    await enter('amount', '7');
    await letThrough();
    await expect.poll(message).toBe('Saved: deposit of 5.00.');
    expect([field('amount').value, field('note').value]).toEqual(['7', '']);
    await page.unmount();
  });

  it('keeps what could not be saved, and takes it again', async () => {
    const { enter, hold, refuse, letThrough, submit, message, field, wrong, balanceOf, page } = await openForm();
    await enter('amount', '5');
    hold();
    submit();
    await refuse();
    await expect.poll(message).toBe('The device is full.');
    expect([field('amount').value, wrong()]).toEqual(['5', []]);
    submit();
    await letThrough();
    await expect.poll(() => balanceOf('ada')).toBe(100_500);
    await page.unmount();
  });

  it('marks the field that is wrong, and no other', async () => {
    const { choose, enter, submit, message, wrong, page } = await openForm();
    const marks = async (to: string, amount: string, said: RegExp) => {
      await enter('to', to);
      await enter('amount', amount);
      submit();
      await expect.poll(message).toMatch(said);
      return wrong();
    };
    await choose('transfer');
    expect(await marks('ben', 'much', /^Enter an amount/)).toEqual(['amount']);
    expect(await marks('nobody', '5', /^There is no open account/)).toEqual(['to']);
    expect(await marks('ben', '9000', /^That is more than/)).toEqual(['amount']);
    expect(await marks('ben', '5', /^Saved/)).toEqual([]);
    await page.unmount();
  });

  it('refuses to move money to where it is', async () => {
    const { choose, enter, submit, message, wrong, page, client } = await openForm();
    await choose('transfer');
    await enter('to', ' ada ');
    await enter('amount', '5');
    const { saved } = client.status.getState();
    submit();
    await expect.poll(message).toBe('The money is on this account already. Choose another one.');
    expect(wrong()).toEqual(['to']);
    expect(client.status.getState().saved).toBe(saved);
    await page.unmount();
  });

  it('has the place of what it says in the page before it says it, and without taking room', async () => {
    const { find, page } = await openForm();
    const status = find('[role="status"]');
    expect(status.checkVisibility()).toBe(true);
    const { bottom } = find('.fields').getBoundingClientRect();
    const { paddingBottom, borderBottomWidth } = getComputedStyle(find('form'));
    const room = find('form').getBoundingClientRect().bottom - bottom;
    expect(room).toBeCloseTo(Number.parseFloat(paddingBottom) + Number.parseFloat(borderBottomWidth), 3);
    await page.unmount();
  });
});
