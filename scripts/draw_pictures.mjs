// Draws the pictures of docs/plot.md and docs/report.md: `node scripts/draw_pictures.mjs [logs/quickstart]` after
// `npm run quickstart`. It needs Chromium (`$CHROMIUM`, or Debian's package).
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { chromium } from 'playwright-core';
import sharp from 'sharp';

const require = createRequire(import.meta.url);
const cc = require('../dist/public.js');
const logs = process.argv[2] ?? 'logs/quickstart';
const image = (name) => fileURLToPath(new URL(`../docs/images/${name}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'cleanclip-pictures-'));

/** Makes a picture smaller, with a palette. */
async function shrink(input, name, width) {
  const png = await sharp(input).resize({ width }).flatten({ background: 'white' }).png({ palette: true }).toBuffer();
  writeFileSync(image(name), png);
  console.log(`docs/images/${name}: ${Math.round(png.length / 1024)} KiB`);
}

try {
  await shrink(join(logs, 'embeddings.png'), 'embeddings.png', 1100);

  const runs = ['poisoned', 'clip_finetuned', 'cleanclip'].map((name) => join(logs, name));
  await cc.plot({ runs, output: join(folder, 'curves') });
  await shrink(join(folder, 'curves.png'), 'curves.png', 1000);

  const args = ['--no-sandbox'];
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args });
  const shot = async (viewport, colorScheme) => {
    const page = await browser.newPage({ viewport, colorScheme });
    await page.goto(pathToFileURL(join(logs, 'report.html')).href);
    return page.screenshot();
  };
  await shrink(await shot({ width: 1200, height: 1500 }, 'light'), 'report.png', 900);
  await shrink(await shot({ width: 390, height: 844 }, 'dark'), 'report_phone.png', 390);
  await browser.close();
} finally {
  rmSync(folder, { recursive: true });
}
