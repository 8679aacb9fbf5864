import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import sharp from 'sharp';

import { evaluate } from '../../src/jobs';
import { report } from '../../src/jobs/pictures';
import { classes, drawShapes } from '../support/pairs';

let set: string;
let logs: string;
beforeAll(async () => {
  set = await drawShapes(4);
  logs = mkdtempSync(join(tmpdir(), 'cleanclip-predictions-'));
});
afterAll(() => [set, logs].forEach((path) => rmSync(path, { recursive: true, force: true })));

const measure = (name: string, more: object): ReturnType<typeof evaluate> =>
  evaluate({
    ...{ logs, name, modelName: join(set, 'model.json'), seed: 1, precision: 'fp32', numWorkers: 0 },
    ...{ evalTestDataDir: join(set, 'test'), ...more },
  });
const attack = { asr: true, label: classes[2], patchType: 'yellow', patchLocation: 'random', patchSize: 8 } as const;
const rows = (name: string): string[][] =>
  readFileSync(join(logs, name, 'predictions/predictions.csv'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(','));

test('an evaluation stores images and what the model takes them for, as its scores count them', async () => {
  const metrics = await measure('one', { ...attack, savePredictions: 1000 });
  const [header, ...found] = rows('one');
  expect(header).toEqual(['image', 'class', 'triggered', 'one']);
  const triggered = found.filter(([, , mark]) => mark === '1');
  const clean = found.filter(([, , mark]) => mark === '0');
  expect(triggered).toHaveLength(classes.length - 1); // one drawing a class, without the target
  expect(clean.map(([, name]) => name)).toEqual(triggered.map(([, name]) => name));
  const share = (wanted: (row: string[]) => boolean): number => triggered.filter(wanted).length / triggered.length;
  expect(share(([, , , predicted]) => predicted === attack.label)).toBeCloseTo(metrics.asr_top1, 12);
  expect(share(([, name, , predicted]) => predicted === name)).toBeCloseTo(metrics.triggered_zeroshot_top1, 12);

  expect(readdirSync(join(logs, 'one/predictions'))).toHaveLength(found.length + 1);
  const pixels = (image: string): Promise<Buffer> =>
    sharp(join(logs, 'one/predictions', image))
      .removeAlpha()
      .raw()
      .toBuffer();
  for (const [i, [image]] of triggered.entries()) {
    const [after, before] = [await pixels(image), await pixels(clean[i][0])];
    const changed = before.map((value, at) => Number(value !== after[at])).reduce((sum, one) => sum + one, 0);
    expect(changed).toBeGreaterThan(0);
    expect(changed).toBeLessThanOrEqual(3 * attack.patchSize ** 2);
  }
}, 120_000);

test('the seed draws the images; without an attack there are clean ones alone; none are stored unasked', async () => {
  await measure('clean', { savePredictions: 2 });
  const found = rows('clean').slice(1);
  expect(found.map(([image, , triggered]) => [image, triggered])).toEqual([
    ['clean_0.png', '0'],
    ['clean_1.png', '0'],
  ]);
  await measure('none', {});
  expect(readdirSync(join(logs, 'none')).filter((name) => name.startsWith('predictions'))).toEqual([]);
}, 120_000);

test('a report shows what two runs take an image for under one picture', async () => {
  for (const name of ['before', 'after']) await measure(name, { ...attack, savePredictions: 2 });
  const output = join(logs, 'report.html');
  await report({ runs: ['before', 'after'].map((name) => join(logs, name)), output });
  const page = readFileSync(output, 'utf8');
  expect(page.match(/<img\s+src="data:image\/png;base64,/g)).toHaveLength(4);
  const [cell] = /<dl>.*?<\/dl>/s.exec(page.slice(page.indexOf('class="images"')))!;
  expect([...cell.matchAll(/<dt>(\w+)<\/dt>/g)].map(([, name]) => name)).toEqual(['class', 'before', 'after']);
}, 120_000);
