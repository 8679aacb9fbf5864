// Compares screenshots of a report with those in screenshots/, part by part, in a way that other fonts and other
// versions of Chromium pass. CLEANCLIP_SCREENSHOTS=write writes them anew.
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import type { Browser } from 'playwright-core';
import sharp from 'sharp';

import { temporaryFolder } from '../data/temporary';
import { describeInChromium, launch } from '../support/chromium';
import { command } from '../support/command';
import { trained, writeRun } from '../support/run_folders';

jest.setTimeout(60_000);

const stored = join(__dirname, 'screenshots');
const views = {
  wide: { viewport: { width: 1200, height: 800 }, colorScheme: 'light' },
  phone: { viewport: { width: 392, height: 844 }, colorScheme: 'light' },
  dark: { viewport: { width: 1200, height: 800 }, colorScheme: 'dark' },
} as const;
type View = keyof typeof views;

/** A part of the page: the name of its element, and where it is, in pixels of the page. */
interface Part {
  kind: keyof typeof bounds;
  box: [left: number, top: number, width: number, height: number];
}

/** A page at a quarter of its size, as bytes of RGB, and its parts. */
interface Shot {
  pixels: sharp.Sharp;
  width: number;
  height: number;
  parts: Part[];
}

const REDUCED = 4; // a stored screenshot to the page
const CELL = 16; // pixels of the page that are averaged before anything is compared

/**
 * How much a part may differ: in the mean over cells of brightness (of 255) and of colour, and in its shape. Texts are
 * grey, so their fonts hardly change the colour of a chart. Links colour the header, whose lines a font breaks.
 */
const bounds = {
  header: { brightness: 20, colour: 4, shape: 0.35 },
  section: { brightness: 12, colour: 0.5, shape: 0.25 },
  svg: { brightness: 1.5, colour: 0.2, shape: 0.03 },
  img: { brightness: 3, colour: 1, shape: 0.03 },
};

/** A part as cells of RGB. */
async function cells({ pixels, ...page }: Shot, { box }: Part, columns: number, rows: number): Promise<Buffer> {
  const [left, top, width, height] = box.map((length) => Math.floor(length / REDUCED));
  const area = {
    ...{ left, top },
    width: Math.max(1, Math.min(width, page.width - left)),
    height: Math.max(1, Math.min(height, page.height - top)),
  };
  const part = await pixels.clone().extract(area).png().toBuffer(); // before the resize, whose kernel looks around
  return sharp(part).resize(columns, rows, { fit: 'fill' }).raw().toBuffer();
}

/** What is too different between two screenshots, a sentence a part. */
async function differences(wanted: Shot, found: Shot): Promise<string[]> {
  const kinds = (shot: Shot): string => shot.parts.map(({ kind }) => kind).join(' ');
  if (kinds(wanted) !== kinds(found)) return [`expected the parts ${kinds(wanted)}, found ${kinds(found)}`];
  const faults: string[] = [];
  for (const [i, part] of wanted.parts.entries()) {
    const other = found.parts[i];
    const [, , width, height] = part.box;
    const grid = [width, height].map((length) => Math.max(1, Math.round(length / CELL))) as [number, number];
    const [a, b] = [await cells(wanted, part, ...grid), await cells(found, other, ...grid)];
    let [brightness, colour] = [0, 0];
    for (let at = 0; at < a.length; at += 3) {
      const [red, green, blue] = [0, 1, 2].map((channel) => a[at + channel] - b[at + channel]);
      brightness += (Math.abs(red) + Math.abs(green) + Math.abs(blue)) / a.length;
      colour += (Math.abs(red - green) + Math.abs(blue - green)) / a.length;
    }
    const shape = Math.abs((other.box[3] / other.box[2] / height) * width - 1);
    const measured = { brightness, colour, shape };
    for (const [name, bound] of Object.entries(bounds[part.kind])) {
      const value = measured[name as keyof typeof measured];
      if (!(value <= bound)) faults.push(`${part.kind} ${i}: ${name} ${value.toFixed(2)}, at most ${bound}`);
    }
  }
  return faults;
}

async function asShot(png: Buffer, parts: Part[]): Promise<Shot> {
  const { data, info } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  return { pixels: sharp(data, { raw: { width, height, channels: 3 } }), width, height, parts };
}

/** Makes a screenshot smaller. Its sides become multiples first, so that all lengths shrink alike. */
async function reduce(png: Buffer): Promise<Buffer> {
  const { width, height } = await sharp(png).metadata();
  const bottom = (REDUCED - (height % REDUCED)) % REDUCED;
  const whole = await sharp(png).removeAlpha().extend({ bottom }).png().toBuffer();
  return sharp(whole)
    .resize(width / REDUCED)
    .png({ compressionLevel: 9, effort: 10 })
    .toBuffer();
}

async function storedShot(view: View): Promise<Shot> {
  const parts = JSON.parse(readFileSync(join(stored, 'parts.json'), 'utf8')) as Record<View, Part[]>;
  return asShot(readFileSync(join(stored, `${view}.png`)), parts[view]);
}

const listParts = `[...document.querySelectorAll('header, main > section, svg.chart, img')].map((element) => {
  const { x, y, width, height } = element.getBoundingClientRect();
  return { kind: element.tagName.toLowerCase(), box: [x, y, width, height].map(Math.round) };
})`;

describeInChromium('the screenshots of a report', () => {
  const folder = temporaryFolder();
  let browser: Browser;

  /** Takes a screenshot, after a style sheet was added or a script was run in the page. */
  async function take(view: View, { css = '', script = '' } = {}): Promise<{ png: Buffer; parts: Part[] }> {
    const context = await browser.newContext({ ...views[view], bypassCSP: true });
    try {
      const page = await context.newPage();
      await page.goto(pathToFileURL(join(folder, 'report.html')).href);
      if (css !== '') await page.addStyleTag({ content: css });
      if (script !== '') await page.evaluate(script);
      const parts = await page.evaluate<Part[]>(listParts);
      return { png: await reduce(await page.screenshot({ fullPage: true })), parts };
    } finally {
      await context.close();
    }
  }

  const compare = async (view: View, changed?: Parameters<typeof take>[1]): Promise<string[]> => {
    const { png, parts } = await take(view, changed);
    return differences(await storedShot(view), await asShot(png, parts));
  };

  beforeAll(async () => {
    const runs = ['poisoned', 'cleansed'].map((name, i) =>
      writeRun(join(folder, name), {
        params: { name, model_name: 'tiny', seed: i, epochs: 3 },
        records: trained(3 + i),
        warnings: i === 0 ? [] : ['The loss is high.'],
      }),
    );
    for (const [name, background] of Object.entries({ clean: '#2040e0', triggered: '#e02020' })) {
      const create = { width: 64, height: 64, channels: 3 as const, background };
      await sharp({ create }).toFile(join(folder, `${name}.png`));
    }
    writeFileSync(
      join(folder, 'p.csv'),
      'image,class,triggered,poisoned,cleansed\nclean.png,cat,0,cat,cat\ntriggered.png,cat,1,banana,cat\n',
    );
    const points = Array.from({ length: 60 }, (_, i) => {
      const [x, y] = [Math.cos(i * i) * (1 + (i % 3)), Math.sin(i * i) + (i % 3)];
      const group = ['cat', 'dog', 'fig'][i % 3];
      return [i % 2 === 0 ? 'before' : 'after', x, y, group, i % 3, i % 4 === 0 ? 'triangle' : 'circle'].join(',');
    });
    writeFileSync(join(folder, 'c.csv'), ['panel,x,y,group,colour,symbol', ...points].join('\n'));
    const args = ['report', ...runs, '--predictions', 'p.csv', '--coordinates', 'c.csv'];
    const { code, stderr } = await command('cleanclip', args, folder).ended;
    expect([code, stderr]).toEqual([0, '']);
    browser = await launch();
    if (process.env.CLEANCLIP_SCREENSHOTS !== 'write') return;
    mkdirSync(stored, { recursive: true });
    const all: Partial<Record<View, Part[]>> = {};
    for (const view of Object.keys(views) as View[]) {
      const { png, parts } = await take(view);
      writeFileSync(join(stored, `${view}.png`), png);
      all[view] = parts;
    }
    writeFileSync(join(stored, 'parts.json'), `${JSON.stringify(all)}\n`);
  });
  afterAll(async () => browser?.close());

  test.each(Object.keys(views) as View[])('%s: they look as the stored ones', async (view) => {
    expect(await compare(view)).toEqual([]);
    expect(statSync(join(stored, `${view}.png`)).size).toBeLessThan(60 * 1024);
  });

  test.each([
    ['another font', '* { font-family: "Liberation Sans", "DejaVu Sans Condensed", Arial !important }'],
    ['a font with serifs', '* { font-family: serif !important }'],
    ['wider letters', '* { letter-spacing: 0.3px !important }'],
  ])('%s is no difference', async (_, css) => {
    expect(await compare('wide', { css })).toEqual([]);
    expect(await compare('phone', { css })).toEqual([]);
  });

  test.each<[what: string, view: View, change: { css?: string; script?: string }, fault: RegExp]>([
    ['a page without its style sheet', 'wide', { script: "document.querySelector('style').remove()" }, /shape/],
    ['a style sheet that is not dark', 'dark', { css: 'body { background: white }' }, /section \d+: brightness/],
    ['another background', 'wide', { css: 'body { background: #eee }' }, /section \d+: brightness/],
    ['another colour of headings', 'wide', { css: 'th { background: #cde !important }' }, /section \d+: colour/],
    ['another colour of a run', 'wide', { css: ':root { --series-0: #008800 !important }' }, /svg \d+: colour/],
    ['charts without lines', 'phone', { css: '[aria-label="line"] { visibility: hidden }' }, /svg \d+: colour/],
    ['an empty chart', 'wide', { script: "document.querySelector('svg.chart').innerHTML = ''" }, /svg 4: brightness/],
    ['a missing chart', 'wide', { script: "document.querySelector('figure').remove()" }, /expected the parts/],
    ['charts one below another', 'wide', { css: '.charts { display: block !important }' }, /section \d+: shape/],
  ])('%s is a difference', async (_, view, change, fault) => {
    expect((await compare(view, change)).join('\n')).toMatch(fault);
  });
});
