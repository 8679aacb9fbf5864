import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';

import { temporaryFolder } from '../data/temporary';
import { describeInChromium, launch } from '../support/chromium';
import { command } from '../support/command';
import { trained, writeRun } from '../support/run_folders';

const inPage = readFileSync(join(__dirname, 'in_page.js'), 'utf8').trim().replace(/;$/, '');

/** Runs a function of in_page.js in a page. */
const check = <T>(page: Page, name: string): Promise<T> => page.evaluate<T>(`${inPage}.${name}()`);

interface Structure {
  levels: number[];
  brokenLinks: number;
  scripts: number;
  equalIds: number;
}

describeInChromium('a report in Chromium', () => {
  const folder = temporaryFolder();
  const file = join(folder, 'report.html');
  const faults: string[] = [];
  let browser: Browser;

  const open = async (options: { width: number; colorScheme?: 'light' | 'dark' }): Promise<Page> => {
    const { width, colorScheme = 'light' } = options;
    const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme });
    const page = await context.newPage();
    page.on('console', (message) => faults.push(message.text()));
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('request', (request) => {
      if (!/^(file|data):/.test(request.url())) faults.push(request.url());
    });
    await page.goto(pathToFileURL(file).href);
    return page;
  };

  beforeAll(async () => {
    const long = `/data/${'very_long_folder/'.repeat(12)}train.csv`;
    const runs = ['poisoned', 'cleansed', '<script>alert(1)'].map((name, i) =>
      writeRun(join(folder, name), {
        params: { name, model_name: 'tiny', seed: i, train_data: long, epochs: 3 },
        records: trained(3 + i),
        warnings: ['W'.repeat(400)],
      }),
    );
    await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } }).toFile(join(folder, 'one.png'));
    writeFileSync(join(folder, 'p.csv'), 'image,class,triggered,before\none.png,cat,1,banana\none.png,cat,0,cat\n');
    writeFileSync(
      join(folder, 'c.csv'),
      'panel,x,y,group,colour,symbol\nafter,1,2,cat,0,circle\nafter,2,1,dog,1,triangle\n',
    );
    const args = ['report', ...runs, '--predictions', 'p.csv', '--coordinates', 'c.csv'];
    const { code, stderr } = await command('cleanclip', args, folder).ended;
    expect([code, stderr]).toEqual([0, '']);
    browser = await launch();
  });
  afterAll(async () => browser?.close());
  afterEach(() => expect(faults.splice(0)).toEqual([]));

  test('has headings in order, captions, labels and alternative texts', async () => {
    const page = await open({ width: 1200 });
    const found = await check<Structure>(page, 'structure');
    expect(found).toMatchObject({ language: 'en', captions: true, headed: true, images: true, pictures: true });
    expect([found.brokenLinks, found.scripts, found.equalIds]).toEqual([0, 0, 0]);
    expect(found.levels[0]).toBe(1);
    expect(found.levels.slice(1).every((level, i) => level > 1 && level <= found.levels[i] + 1)).toBe(true);
    await page.context().close();
  });

  test('reaches every link, table and detail by keyboard, and shows where the focus is', async () => {
    const page = await open({ width: 1200 });
    await check(page, 'openDetails');
    const wanted = await page.locator('a, summary, .scroll').count();
    const reached = new Set<string>();
    for (let i = 0; i < wanted; i++) {
      await page.keyboard.press('Tab');
      const { place, outline } = await check<{ place: number; outline: string }>(page, 'focus');
      expect(outline).not.toBe('none');
      reached.add(String(place));
    }
    expect(reached.has('-1')).toBe(false);
    expect(reached.size).toBe(wanted);
    await page.context().close();
  });

  test.each(['light', 'dark'] as const)('has a contrast of at least 4.5 in %s mode', async (colorScheme) => {
    const page = await open({ width: 1200, colorScheme });
    await check(page, 'openDetails');
    expect(await check<string[]>(page, 'lowContrasts')).toEqual([]);
    await check(page, 'greyHeading');
    expect(await check<string[]>(page, 'lowContrasts')).toHaveLength(colorScheme === 'light' ? 1 : 0);
    const background = await check(page, 'background');
    expect(background).toBe(colorScheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(22, 24, 29)');
    await page.context().close();
  });

  test.each([320, 390, 1200])('needs no sideways scroll at %i pixels', async (width) => {
    const page = await open({ width });
    await check(page, 'openDetails');
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    const smallest = await check<number>(page, 'smallestText');
    expect(smallest).toBeGreaterThan(8); // pixels of a line in a chart
    await page.context().close();
  });

  test('prints all details, dark on white', async () => {
    const page = await open({ width: 1200, colorScheme: 'dark' });
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    expect(await check<string[]>(page, 'lowContrasts')).toEqual([]);
    const hidden = await check<number>(page, 'hiddenTables');
    expect(hidden).toBe(0);
    const pdf = await page.pdf({ format: 'A4' });
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    await page.context().close();
  });
});
