import type { Page } from '@playwright/test';
import { expect, expectAccessible, openTasks, test } from './app.ts';

const titles = ['Buy milk', 'Walk the dog', 'Water the plants'] as const;

const newTodo = (page: Page) => page.locator('.new-todo');
const items = (page: Page) => page.locator('.todo-list li');
const labels = (page: Page) => page.locator('.todo-list li label');
const count = (page: Page) => page.locator('.todo-count');
const toggleAll = (page: Page) => page.locator('.toggle-all');
const filter = (page: Page, name: string) => page.locator('.filters').getByRole('link', { name, exact: true });

async function add(page: Page, ...added: readonly string[]): Promise<void> {
  for (const title of added) {
    await newTodo(page).fill(title);
    await newTodo(page).press('Enter');
  }
}

/** Milk, dog and plants. */
async function openWithThree(page: Page): Promise<void> {
  await openTasks(page);
  await add(page, ...titles);
  await expect(labels(page)).toHaveText([...titles]);
}

/** Completes them one by one. */
async function complete(page: Page, ...indexes: readonly number[]): Promise<void> {
  for (const index of indexes) await items(page).nth(index).locator('.toggle').check();
  await expect(page.locator('.todo-list li.completed')).toHaveCount(indexes.length);
}

/** Opens the editor of the second. */
async function edit(page: Page) {
  await labels(page).nth(1).dblclick();
  return items(page).nth(1).locator('.edit');
}

test.describe('an empty list', () => {
  test('has neither a list nor a footer, and waits for the first todo', async ({ page }) => {
    await openTasks(page);
    await expect(newTodo(page)).toBeFocused();
    await expect(page.locator('.main')).toHaveCount(0);
    await expect(page.locator('.footer')).toHaveCount(0);
    await add(page, 'Buy milk');
    await expect(page.locator('.main')).toBeVisible();
    await expect(page.locator('.footer')).toBeVisible();
    await items(page).hover();
    await page.locator('.destroy').click();
    await expect(page.locator('.main')).toHaveCount(0);
    await expect(page.locator('.footer')).toHaveCount(0);
  });
});

test.describe('a new todo', () => {
  test('is added at the end by Enter, and the input is cleared for the next', async ({ page }) => {
    await openTasks(page);
    await add(page, 'Buy milk');
    await expect(newTodo(page)).toHaveValue('');
    await expect(newTodo(page)).toBeFocused();
    await add(page, 'Walk the dog');
    await expect(labels(page)).toHaveText(['Buy milk', 'Walk the dog']);
    await expect(page.locator('.todo-list li.completed')).toHaveCount(0);
  });

  test('is trimmed', async ({ page }) => {
    await openTasks(page);
    await add(page, '   Buy milk  ');
    await expect(labels(page)).toHaveCount(1);
    expect(await labels(page).textContent()).toBe('Buy milk');
  });

  test('that is empty is ignored', async ({ page }) => {
    await openTasks(page);
    await add(page, '', '   ', 'Buy milk');
    await expect(labels(page)).toHaveText(['Buy milk']);
    await expect(page.getByText('Saved · 1 events')).toBeVisible();
  });

  test('that cannot be saved is said, and what was typed stays', async ({ page }) => {
    await openTasks(page);
    const tooLarge = 'large '.repeat(12_000);
    await add(page, tooLarge);
    await expect(page.getByRole('alert')).toContainText('cannot be stored: it is larger than 65536 bytes');
    await expect(newTodo(page)).toHaveValue(tooLarge);
    await expect(page.locator('.main')).toHaveCount(0);
    await add(page, 'Buy milk');
    await expect(labels(page)).toHaveText(['Buy milk']);
    await expect(page.getByRole('alert')).toHaveCount(0);
  });
});

test.describe('a todo', () => {
  test('is completed and made active again by its checkbox', async ({ page }) => {
    await openWithThree(page);
    const toggle = items(page).nth(1).locator('.toggle');
    await toggle.check();
    await expect(items(page).nth(1)).toHaveClass('completed');
    await expect(items(page).nth(0)).not.toHaveClass('completed');
    await toggle.uncheck();
    await expect(items(page).nth(1)).not.toHaveClass('completed');
    await expect(labels(page)).toHaveText([...titles]);
  });

  test('shows what its checkbox was set to before that is on disk', async ({ page }) => {
    await openWithThree(page);
    const shown = await page.evaluate(async () => {
      const toggle = document.querySelector<HTMLInputElement>('.toggle');
      toggle?.click();
      // React has rendered; no message of the worker can have come in.
      await Promise.resolve();
      return { checked: toggle?.checked, completed: document.querySelectorAll('.todo-list .completed').length };
    });
    expect(shown).toEqual({ checked: true, completed: 0 });
    await expect(items(page).nth(0)).toHaveClass('completed');
  });

  test('shows how to remove it while the mouse is over it, and is removed', async ({ page }) => {
    await openWithThree(page);
    const destroy = items(page).nth(1).locator('.destroy');
    await newTodo(page).hover();
    await expect(destroy).toHaveCSS('opacity', '0');
    await items(page).nth(1).hover();
    await expect(destroy).toHaveCSS('opacity', '1');
    await destroy.click();
    await expect(labels(page)).toHaveText(['Buy milk', 'Water the plants']);
  });

  test('can be completed, edited and removed without a mouse', async ({ page }) => {
    await openWithThree(page);
    await page.getByRole('checkbox', { name: 'Walk the dog' }).press('Space');
    await expect(items(page).nth(1)).toHaveClass('completed');
    await page.getByRole('button', { name: 'Edit Walk the dog' }).press('Enter');
    await page.keyboard.press('End');
    await page.keyboard.type('s');
    await page.keyboard.press('Enter');
    await expect(labels(page).nth(1)).toHaveText('Walk the dogs');
    await page.getByRole('button', { name: 'Remove Walk the dogs' }).press('Enter');
    await expect(labels(page)).toHaveText(['Buy milk', 'Water the plants']);
  });
});

test.describe('editing', () => {
  test('starts by a double click, in an input in place of the other controls', async ({ page }) => {
    await openWithThree(page);
    const input = await edit(page);
    await expect(items(page).nth(1)).toHaveClass('editing');
    await expect(input).toBeFocused();
    await expect(input).toHaveValue('Walk the dog');
    await expect(items(page).nth(1).locator('.view')).toBeHidden();
    await expect(items(page).nth(0).locator('.view')).toBeVisible();
    await expect(page.locator('.todo-list li.completed')).toHaveCount(0);
  });

  test('is saved by Enter, trimmed', async ({ page }) => {
    await openWithThree(page);
    const input = await edit(page);
    await input.fill('  Walk the cat ');
    await input.press('Enter');
    await expect(page.locator('.editing')).toHaveCount(0);
    await expect(labels(page)).toHaveText(['Buy milk', 'Walk the cat', 'Water the plants']);
    expect(await labels(page).nth(1).textContent()).toBe('Walk the cat');
    await expect(page.getByText('Saved · 4 events')).toBeVisible();
  });

  test('is saved where the input loses the focus', async ({ page }) => {
    await openWithThree(page);
    const input = await edit(page);
    await input.fill('Walk the cat');
    await newTodo(page).click();
    await expect(page.locator('.editing')).toHaveCount(0);
    await expect(labels(page)).toHaveText(['Buy milk', 'Walk the cat', 'Water the plants']);
  });

  test('is discarded by Escape', async ({ page }) => {
    await openWithThree(page);
    const input = await edit(page);
    await input.fill('Walk the cat');
    await input.press('Escape');
    await expect(page.locator('.editing')).toHaveCount(0);
    await add(page, 'Call home');
    await expect(labels(page)).toHaveText([...titles, 'Call home']);
    await expect(page.getByText('Saved · 4 events')).toBeVisible();
    await expect(await edit(page)).toHaveValue('Walk the dog');
  });

  test('removes a todo whose title is emptied', async ({ page }) => {
    await openWithThree(page);
    const input = await edit(page);
    await input.fill('   ');
    await input.press('Enter');
    await expect(labels(page)).toHaveText(['Buy milk', 'Water the plants']);
  });

  test('is over after a reload', async ({ page }) => {
    await openWithThree(page);
    await expect(await edit(page)).toBeFocused();
    await page.reload();
    await expect(labels(page)).toHaveText([...titles]);
    await expect(page.locator('.editing')).toHaveCount(0);
  });
});

test.describe('mark all as complete', () => {
  test('completes all, and makes all active again', async ({ page }) => {
    await openWithThree(page);
    await complete(page, 1);
    await toggleAll(page).check();
    await expect(page.locator('.todo-list li.completed')).toHaveCount(3);
    await expect(count(page)).toHaveText('0 items left');
    await toggleAll(page).uncheck();
    await expect(page.locator('.todo-list li.completed')).toHaveCount(0);
    await expect(count(page)).toHaveText('3 items left');
    // Three added, one completed, the other two completed, three reopened: what was so already is not said again.
    await expect(page.getByText('Saved · 9 events')).toBeVisible();
  });

  test('follows the single ones', async ({ page }) => {
    await openWithThree(page);
    await expect(toggleAll(page)).not.toBeChecked();
    await complete(page, 0, 1, 2);
    await expect(toggleAll(page)).toBeChecked();
    await items(page).nth(2).locator('.toggle').uncheck();
    await expect(toggleAll(page)).not.toBeChecked();
    await items(page).nth(2).hover();
    await items(page).nth(2).locator('.destroy').click();
    await expect(toggleAll(page)).toBeChecked();
    await page.locator('.clear-completed').click();
    await add(page, 'Call home');
    await expect(toggleAll(page)).not.toBeChecked();
  });

  test('reaches those that the filter hides', async ({ page }) => {
    await openWithThree(page);
    await complete(page, 0);
    await filter(page, 'Completed').click();
    await expect(labels(page)).toHaveText(['Buy milk']);
    await toggleAll(page).check();
    await expect(labels(page)).toHaveText([...titles]);
  });
});

test('the counter says how many are left, in the right number', async ({ page }) => {
  await openWithThree(page);
  await expect(count(page)).toHaveText('3 items left');
  await complete(page, 0, 1);
  await expect(count(page)).toHaveText('1 item left');
  await expect(count(page).locator('strong')).toHaveText('1');
  await items(page).nth(2).locator('.toggle').check();
  await expect(count(page)).toHaveText('0 items left');
});

test.describe('clear completed', () => {
  test('is hidden where nothing is completed', async ({ page }) => {
    await openWithThree(page);
    const clear = page.locator('.clear-completed');
    await expect(clear).toHaveCount(0);
    await complete(page, 1);
    await expect(clear).toBeVisible();
    await items(page).nth(1).locator('.toggle').uncheck();
    await expect(clear).toHaveCount(0);
  });

  test('removes what is completed, and nothing else', async ({ page }) => {
    await openWithThree(page);
    await complete(page, 0, 2);
    await page.locator('.clear-completed').click();
    await expect(labels(page)).toHaveText(['Walk the dog']);
    await expect(page.locator('.clear-completed')).toHaveCount(0);
  });
});

test.describe('a filter', () => {
  test('shows all, the active or the completed, and is marked', async ({ page }) => {
    await openWithThree(page);
    await complete(page, 1);
    const selected = page.locator('.filters .selected');
    await expect(selected).toHaveText(['All']);
    await filter(page, 'Active').click();
    await expect(page).toHaveURL(/\/tasks\/#\/active$/);
    await expect(selected).toHaveText(['Active']);
    await expect(labels(page)).toHaveText(['Buy milk', 'Water the plants']);
    await filter(page, 'Completed').click();
    await expect(page).toHaveURL(/\/tasks\/#\/completed$/);
    await expect(selected).toHaveText(['Completed']);
    await expect(labels(page)).toHaveText(['Walk the dog']);
    await expect(count(page)).toHaveText('2 items left');
    await filter(page, 'All').click();
    await expect(page).toHaveURL(/\/tasks\/#\/$/);
    await expect(selected).toHaveText(['All']);
    await expect(labels(page)).toHaveText([...titles]);
  });

  test('goes back with the browser’s own button', async ({ page }) => {
    await openWithThree(page);
    await complete(page, 1);
    await filter(page, 'Active').click();
    await filter(page, 'Completed').click();
    await expect(labels(page)).toHaveText(['Walk the dog']);
    await page.goBack();
    await expect(labels(page)).toHaveText(['Buy milk', 'Water the plants']);
    await page.goBack();
    await expect(labels(page)).toHaveText([...titles]);
  });

  test('follows a todo that changes under it', async ({ page }) => {
    await openWithThree(page);
    await filter(page, 'Active').click();
    await items(page).nth(0).locator('.toggle').click();
    await expect(labels(page)).toHaveText(['Walk the dog', 'Water the plants']);
    await filter(page, 'Completed').click();
    await expect(labels(page)).toHaveText(['Buy milk']);
    await add(page, 'Call home');
    await expect(count(page)).toHaveText('3 items left');
    await items(page).nth(0).locator('.toggle').click();
    await expect(labels(page)).toHaveCount(0);
    await expect(page.locator('.footer')).toBeVisible();
  });

  test('is the one of the address after a reload', async ({ page }) => {
    await openWithThree(page);
    await complete(page, 1);
    await filter(page, 'Completed').click();
    await page.reload();
    await expect(labels(page)).toHaveText(['Walk the dog']);
    await expect(page.locator('.filters .selected')).toHaveText(['Completed']);
  });
});

test.describe('what is on the list', () => {
  test('is there after a reload, in the same order', async ({ page }) => {
    await openWithThree(page);
    await complete(page, 0);
    const input = await edit(page);
    await input.fill('Walk the cat');
    await input.press('Enter');
    await expect(labels(page).nth(1)).toHaveText('Walk the cat');
    await page.reload();
    await expect(labels(page)).toHaveText(['Buy milk', 'Walk the cat', 'Water the plants']);
    await expect(items(page).nth(0)).toHaveClass('completed');
    await expect(count(page)).toHaveText('2 items left');
  });

  test('is there with the network off, and what is added then stays too', async ({ context, page }) => {
    await openWithThree(page);
    await context.setOffline(true);
    await page.reload();
    await expect(labels(page)).toHaveText([...titles]);
    await add(page, 'Call home');
    await expect(labels(page)).toHaveText([...titles, 'Call home']);
    await page.goto('/tasks/?from=home#/active');
    await expect(labels(page)).toHaveText([...titles, 'Call home']);
  });

  test('is the same in two tabs', async ({ context, page }) => {
    await openWithThree(page);
    const other = await context.newPage();
    await openTasks(other);
    await expect(labels(other)).toHaveText([...titles]);
    await add(other, 'Call home');
    await expect(labels(page)).toHaveText([...titles, 'Call home']);
    await complete(page, 0);
    await expect(items(other).nth(0)).toHaveClass('completed');
    await toggleAll(other).check();
    await expect(page.locator('.todo-list li.completed')).toHaveCount(4);
    await page.locator('.clear-completed').click();
    await expect(other.locator('.main')).toHaveCount(0);
  });
});

test.describe('the page', () => {
  test('leads to the ledger and back, with the network off too', async ({ context, page }) => {
    await openWithThree(page);
    await context.setOffline(true);
    await page.getByRole('link', { name: 'Ledger' }).click();
    await expect(page.getByText('24 accounts', { exact: true })).toBeVisible();
    await page.getByRole('link', { name: 'Tasks' }).click();
    await expect(labels(page)).toHaveText([...titles]);
  });

  test('runs under the strict content security policy', async ({ page }) => {
    await openTasks(page);
    const policy = page.locator('meta[http-equiv="Content-Security-Policy"]');
    await expect(policy).toHaveAttribute('content', /default-src 'none'; script-src 'self';/);
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`gives axe nothing to find (${colorScheme})`, async ({ page }) => {
      await page.emulateMedia({ colorScheme });
      await openTasks(page);
      await expectAccessible(page);
      await add(page, ...titles);
      await complete(page, 0);
      await items(page).nth(1).hover();
      await expect(items(page).nth(1).locator('.destroy')).toHaveCSS('opacity', '1');
      await expectAccessible(page);
      await expect(await edit(page)).toBeFocused();
      await expectAccessible(page);
    });
  }

  test('gives axe nothing to find on a phone', async ({ page }) => {
    await openWithThree(page);
    await page.setViewportSize({ width: 390, height: 800 });
    await complete(page, 0);
    await expectAccessible(page);
  });
});
