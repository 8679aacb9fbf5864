import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import sharp from 'sharp';

import { augmentImage, augmentText, autoAugment, eda, Random, readPairs, torch } from '../../src';
import { PairLoader } from '../../src/data/loader';
import { decodeImage } from '../../src/images/image';
import { resolve } from '../../src/options/define';
import { checkTrainRules } from '../../src/options/rules';
import { trainOptions } from '../../src/options/train';
import { tokenIds } from '../../src/text/tokenizer';
import { command } from '../support/command';
import { drawShapes } from '../support/pairs';

let folder: string;
beforeAll(async () => {
  folder = await drawShapes(2);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const input = (): string => join(folder, 'train.csv');
const output = (name: string): string => join(folder, name);

test('augment-text adds the captions of EDA; an equal seed gives an equal file', async () => {
  const { code, stdout } = await command('cleanclip', ['augment-text', '-i', 'train.csv', '-o', 'a.csv'], folder).ended;
  expect(stdout).toMatch(/a\.csv has 24 rows, and the column augmented_caption/);
  expect(code).toBe(0);
  const lines = readFileSync(output('a.csv'), 'utf8').trim().split('\n');
  expect(lines[0]).toBe('image,caption,augmented_caption');
  const caption = 'a drawing of a red circle';
  expect(lines[2]).toBe(`images/0_1.png,${caption},${eda(caption, { random: new Random(0, 1) })}`);
  await augmentText({ input: input(), output: output('b.csv') });
  expect(readFileSync(output('b.csv'))).toEqual(readFileSync(output('a.csv')));
  await augmentText({ input: input(), output: output('b.csv'), seed: 1 });
  expect(readFileSync(output('b.csv'))).not.toEqual(readFileSync(output('a.csv')));
  // the column is replaced, and paths stay right in another folder
  await augmentText({ input: output('b.csv'), output: output('other/a.csv') });
  const other = readFileSync(output('other/a.csv'), 'utf8').trim().split('\n');
  expect(other[2]).toBe(`${folder}/images/0_1.png,${lines[2].split(',').slice(1).join(',')}`);
});

test('augment-image writes the images of AutoAugment; a killed run is completed', async () => {
  const rows = Array.from({ length: 150 }, (_, i) => `images/${i % 12}_${i % 2}.png,"caption, ${i}",${i}\n`);
  writeFileSync(output('many.csv'), `image,caption,number\n${rows.join('')}missing.png,none,150\n`);
  const args = ['augment-image', '-i', 'many.csv', '-o', 'out.csv', '--seed', '3'];
  const made = (): string[] =>
    readdirSync(folder)
      .filter((name) => name.startsWith('out_augmented_'))
      .flatMap((name) => readdirSync(output(name)).map((file) => join(output(name), file)));
  const { child, ended } = command('cleanclip', args, folder);
  while (made().length < 10 && child.exitCode === null) await new Promise((done) => setTimeout(done, 2));
  child.kill('SIGKILL');
  await ended;
  const before = made().filter((file) => file.endsWith('.png')).length;
  expect(before).toBeLessThan(150);
  const { code, stdout, stderr } = await command('cleanclip', args, folder).ended;
  expect(stdout).toMatch(/out\.csv has 150 rows, and the column augmented_image/);
  expect(stderr).toMatch(/^Row 151 is left out: .*missing\.png/);
  expect(code).toBe(0);
  expect(made()).toHaveLength(150);
  expect(made().every((file) => file.endsWith('.png'))).toBe(true);
  const lines = readFileSync(output('out.csv'), 'utf8').trim().split('\n');
  expect(lines[0]).toBe('image,caption,number,augmented_image');
  const [, name] = /,140,(out_augmented_\w{8}\/140_8_0\.png)$/.exec(lines[141])!;
  const view = autoAugment(await decodeImage(output('images/8_0.png')), { random: new Random(3, 140) });
  expect((await decodeImage(output(name))).toArray()).toEqual(view.toArray());
  const again = await augmentImage({ input: output('many.csv'), output: output('out.csv'), seed: 3, size: 16 });
  expect(again).toMatchObject({ rows: 150, leftOut: { count: 1 } });
  const resized = made().filter((file) => file.endsWith('/7_7_1.png'));
  expect(await Promise.all(resized.map(async (file) => (await sharp(file).metadata()).width))).toContain(16);
});

test('training takes the augmented columns as views', async () => {
  await augmentText({ input: input(), output: output('views.csv'), seed: 5 });
  await augmentImage({ input: output('views.csv'), output: output('views.csv'), seed: 5 });
  const table = await readPairs(output('views.csv'), { augmentedColumns: true });
  expect(table.augmentedImage(3)).toMatch(/views_augmented_\w{8}\/3_1_1\.png$/);
  const options = { batchSize: 4, size: 40, inmodal: true, shuffle: false, contextLength: 16 };
  const loader = new PairLoader(table, options);
  for await (const batch of loader.epoch(1)) {
    for (const [slot, row] of batch.rows.entries()) {
      const image = await decodeImage(table.augmentedImage(row)!);
      expect(batch.augmentedPixels!.select(0, slot).toArray()).toEqual(image.toArray());
      const ids = torch.tensor(tokenIds([table.augmentedCaption(row)!], 16, {}), { shape: [16] });
      expect(batch.augmentedIds!.select(0, slot).toArray()).toEqual(ids.toArray());
    }
    batch.dispose();
    break;
  }
  await loader.close();
  await expect(readPairs(input(), { augmentedColumns: true })).rejects.toThrow(
    /has neither a column "augmented_image" nor "augmented_caption"; make them with cleanclip/,
  );
});

test.each([
  [{}, /--augmented_columns names the views of --inmodal/],
  [{ inmodal: true, augmentOn: 'device' }, /--augment_on device computes them/],
  [{ inmodal: true, progressive: true, progressiveEpochs: [1] }, /does not go with --progressive/],
])('--augmented_columns with %p is refused', (more, message) => {
  const options = resolve(trainOptions, { trainData: 'a.csv', augmentedColumns: true, ...more });
  expect(() => checkTrainRules(options)).toThrow(message);
});

test('a csv without the column is refused, and nothing is written', async () => {
  mkdirSync(dirname(output('x/y')), { recursive: true });
  const options = { input: input(), output: output('x/none.csv') };
  await expect(augmentText({ ...options, captionKey: 'text' })).rejects.toThrow(/has no column "text"/);
  await expect(augmentImage({ ...options, imageKey: 'file' })).rejects.toThrow(/has no column "file"/);
  expect(readdirSync(output('x'))).toEqual([]);
});
