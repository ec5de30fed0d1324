import { describe, expect, it } from 'vitest';
import { userEvent } from 'vitest/browser';
import { renderPage, settle } from '../fixtures/page.tsx';
import { requireElement } from '../fixtures/require-element.ts';
import { openSlowClient } from '../fixtures/slow-client.ts';
import { Todo, tasks } from './tasks.ts';
import { TodoList } from './todo-list.tsx';

/** The list, with these on it. */
async function openList(...titles: readonly string[]) {
  const slow = openSlowClient(tasks);
  for (const title of titles) await slow.client.execute(Todo, title, 'add', { title });
  const page = renderPage(slow.client, <TodoList />);
  const find = <Found extends Element = HTMLInputElement>(selector: string) =>
    requireElement<Found>(page.container, selector);
  const textsOf = (selector: string) =>
    [...page.container.querySelectorAll(selector)].map(({ textContent }) => textContent);
  await expect.poll(() => page.container.querySelector('.new-todo')).not.toBeNull();
  return {
    ...slow,
    ...{ page, find },
    labels: () => textsOf('.todo-list label'),
    alert: () => page.container.querySelector('[role="alert"]')?.textContent,
    unsaved: () => textsOf('.unsaved span'),
  };
}

describe('a new todo that the device has no room for', () => {
  it('is back in the input', async () => {
    const { find, hold, refuse, alert, labels, page } = await openList();
    await userEvent.fill(find('.new-todo'), 'Buy milk');
    hold();
    await userEvent.keyboard('{Enter}');
    expect(find('.new-todo').value).toBe('');
    await refuse();
    await expect.poll(alert).toBe('The device is full.');
    expect([find('.new-todo').value, labels()]).toEqual(['Buy milk', []]);
    await page.unmount();
  });

  it('stands under the input where the next one was begun, and can be tried again', async () => {
    const { find, hold, refuse, letThrough, alert, unsaved, labels, page } = await openList();
    await userEvent.fill(find('.new-todo'), 'Buy milk');
    hold();
    await userEvent.keyboard('{Enter}');
    await userEvent.fill(find('.new-todo'), 'Walk the dog');
    await refuse();
    await expect.poll(unsaved).toEqual(['Buy milk']);
    expect([find('.new-todo').value, alert()]).toEqual(['Walk the dog', 'The device is full.']);
    await userEvent.click(find('.unsaved button'));
    await refuse();
    await expect.poll(unsaved).toEqual(['Buy milk']);
    await userEvent.click(find('.unsaved button'));
    await letThrough();
    await expect.poll(labels).toEqual(['Buy milk']);
    expect([find('.new-todo').value, unsaved()]).toEqual(['Walk the dog', []]);
    await page.unmount();
  });
});

describe('a title that is edited', () => {
  it('is still in the editor where it cannot be saved', async () => {
    const { find, hold, refuse, letThrough, alert, labels, page } = await openList('Buy milk');
    await userEvent.click(find('.rename'));
    await userEvent.fill(find('.edit'), 'Buy bread');
    hold();
    await userEvent.keyboard('{Enter}');
    await refuse();
    await expect.poll(alert).toBe('The device is full.');
    expect([find('.edit').value, document.activeElement]).toEqual(['Buy bread', find('.edit')]);
    await userEvent.keyboard('{Enter}');
    await letThrough();
    await expect.poll(labels).toEqual(['Buy bread']);
    expect(page.container.querySelector('.edit')).toBeNull();
    await page.unmount();
  });

  it('is still there where it could not be saved as the editor lost the focus', async () => {
    const { find, hold, refuse, alert, page } = await openList('Buy milk');
    await userEvent.click(find('.rename'));
    await userEvent.fill(find('.edit'), 'Buy bread');
    hold();
    find('.new-todo').focus();
    await refuse();
    await expect.poll(alert).toBe('The device is full.');
    expect([find('.edit').value, document.activeElement]).toEqual(['Buy bread', find('.new-todo')]);
    await page.unmount();
  });

  it('stays in the editor where more was typed while it was saved', async () => {
    const { find, hold, letThrough, labels, page } = await openList('Buy milk');
    await userEvent.click(find('.rename'));
    await userEvent.fill(find('.edit'), 'Buy bread');
    hold();
    await userEvent.keyboard('{Enter}');
    await userEvent.keyboard(' today');
    await letThrough();
    await expect.poll(labels).toEqual(['Buy bread']);
    await settle();
    expect(find('.edit').value).toBe('Buy bread today');
    await userEvent.keyboard('{Escape}');
    expect(page.container.querySelector('.edit')).toBeNull();
    await page.unmount();
  });
});
