import { type Browser, chromium, type Locator, type Page } from 'playwright-core';

/** Debian's own Chromium; SLUICE_CHROMIUM names another. */
export function startBrowser(): Promise<Browser> {
  const executablePath = process.env.SLUICE_CHROMIUM ?? '/usr/bin/chromium';
  // Without a sandbox of its own: tests may run as root, in a container, on pages that are ours.
  return chromium.launch({ executablePath, args: ['--no-sandbox'] });
}

/** Everything that a page complains of: errors on its console, uncaught ones, requests that fail. */
export function complaints(page: Page): string[] {
  const found: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') found.push(message.text());
  });
  page.on('pageerror', (error) => found.push(String(error)));
  page.on('response', (response) => {
    if (response.status() >= 400) found.push(`${response.status()} ${response.url()}`);
  });
  return found;
}

/** The one that can be seen: pages keep a second copy for small screens. */
export function seen(locator: Locator): Locator {
  return locator.filter({ visible: true }).first();
}
