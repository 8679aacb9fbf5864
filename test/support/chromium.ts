import { existsSync } from 'node:fs';

import type { Browser } from 'playwright-core';

/** The path of Chromium: `$CHROMIUM`, or that of Debian's package; undefined when there is none. */
export const chromiumPath = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser'].find(
  (path) => path !== undefined && existsSync(path),
);

/** `describe` where there is a Chromium; else the tests are skipped, and a line says how to get one. */
export const describeInChromium = chromiumPath === undefined ? skipped : describe;

function skipped(name: string, tests: () => void): void {
  console.warn(`Skipped '${name}': there is no Chromium. Install it (apt-get install chromium), or set CHROMIUM.`);
  describe.skip(name, tests);
}

/** Starts a headless Chromium without network. */
export async function launch(): Promise<Browser> {
  const { chromium } = await import('playwright-core');
  const args = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];
  return chromium.launch({ executablePath: chromiumPath, args });
}
