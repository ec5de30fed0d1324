import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { renderPage } from '../../fixtures/page.tsx';
import { requireElement } from '../../fixtures/require-element.ts';
import { openSlowClient } from '../../fixtures/slow-client.ts';
import { ledger } from '../ledger.ts';
import { ShareLink } from './share-link.tsx';

const logId = 'f'.repeat(32);

/** The link on a page whose clipboard answers so. */
function openLink(writeText: (text: string) => Promise<void>) {
  const spy = vi.spyOn(navigator.clipboard, 'writeText').mockImplementation(writeText);
  onTestFinished(() => spy.mockRestore());
  const page = renderPage(openSlowClient(ledger).client, <ShareLink logId={logId} isShared={false} />);
  const copy = async () => {
    await expect.poll(() => page.container.querySelector('button')).not.toBeNull();
    requireElement(page.container, 'button').click();
  };
  return { page, copy };
}

describe('the link of a ledger', () => {
  it('is copied', async () => {
    const copied: string[] = [];
    const { page, copy } = openLink(async (text) => void copied.push(text));
    await copy();
    await expect.poll(() => requireElement(page.container, 'button').textContent).toBe('Copied');
    expect(copied).toEqual([`${location.origin}${location.pathname}?log=${logId}`]);
    await page.unmount();
  });

  it('says that it could not be copied, until it is', async () => {
    let isRefused = true;
    const { page, copy } = openLink(async () => {
      if (isRefused) throw new DOMException('Write permission denied.', 'NotAllowedError');
    });
    const alert = () => page.container.querySelector('[role="alert"]')?.textContent;
    await copy();
    await expect.poll(alert).toBe('The browser did not let it be copied. Select the link, and copy it yourself.');
    isRefused = false;
    await copy();
    await expect.poll(alert).toBeUndefined();
    expect(requireElement(page.container, 'button').textContent).toBe('Copied');
    await page.unmount();
  });
});
