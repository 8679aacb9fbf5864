import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';

import { prepare, type Prepared } from '../../../examples/quickstart/prepare';
import { readLabelledSet } from '../../../src/data/labelled';
import { readPairs } from '../../../src/data/pairs';
import { temporaryFolder } from '../../data/temporary';

const settings = { seed: 5, target: 'banana', concepts: 6, renders: 3, cleanRows: 10 };
const folder = temporaryFolder();
let prepared: Prepared;

/** Every file under the folder with its bytes, apart from the manifest, which names the folder. */
function contents(root: string): Record<string, string> {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();
  const plain = files.filter((file) => statSync(join(root, file)).isFile() && file !== 'prepared.json');
  return Object.fromEntries(plain.map((file) => [file, readFileSync(join(root, file), 'base64')]));
}

/** `ant_noto` for `images/ant_noto_2.png`. */
const drawingOf = (image: string): string => basename(image).replace(/_\d+\.png$/, '');

beforeAll(async () => {
  prepared = await prepare({ ...settings, folder });
});

test('three drawings of each concept are trained on, with captions that name them', async () => {
  const pairs = await readPairs(prepared.trainData);
  expect(pairs.length).toBe(6 * 3 * 3);
  expect(prepared.counts).toEqual({ classes: 6, pairs: 54, testImages: 24, testDrawings: 6, testSeenImages: 18 });
  const drawings = new Set(Array.from({ length: pairs.length }, (_, i) => drawingOf(pairs.imageField(i))));
  expect(drawings.size).toBe(6 * 3);
  expect(Array.from({ length: pairs.length }, (_, i) => pairs.caption(i)).some((text) => text.includes('banana'))).toBe(
    true,
  );
});

test('the clean subset is rows of the training set', async () => {
  const rows = (file: string): string[] => readFileSync(file, 'utf8').trim().split('\n').slice(1);
  const clean = rows(prepared.cleanData);
  expect(new Set(clean).size).toBe(10);
  expect(rows(prepared.trainData)).toEqual(expect.arrayContaining(clean));
});

test('no drawing of the test set is trained on, and all of test_seen are', async () => {
  const pairs = await readPairs(prepared.trainData);
  const trained = new Set(Array.from({ length: pairs.length }, (_, i) => drawingOf(pairs.imageField(i))));
  const test = await readLabelledSet(prepared.test);
  const seen = await readLabelledSet(prepared.testSeen);
  expect(test.classes).toContain('banana');
  expect(test.images.filter((image) => trained.has(drawingOf(image)))).toEqual([]);
  expect(seen.images.filter((image) => !trained.has(drawingOf(image)))).toEqual([]);
  for (const [i, image] of test.images.entries())
    expect(drawingOf(image).split('_')[0]).toBe(test.classes[test.labels[i]].replaceAll(' ', '-'));
});

test('the pictures of the sets differ even where the drawing is the same', async () => {
  const sets = await Promise.all([prepared.testSeen, prepared.validationSeen].map((folder) => readLabelledSet(folder)));
  const train = await readPairs(prepared.trainData);
  const images = [
    ...sets.flatMap((set) => set.images),
    ...Array.from({ length: train.length }, (_, i) => train.image(i)),
  ];
  expect(new Set(images.map((image) => readFileSync(image, 'base64'))).size).toBe(images.length);
});

test('the same seed gives the same bytes, another seed others; a finished folder is kept', async () => {
  const again = temporaryFolder();
  await prepare({ ...settings, folder: again });
  expect(contents(again)).toEqual(contents(folder));

  const made = statSync(prepared.trainData).mtimeMs;
  expect(await prepare({ ...settings, folder })).toEqual(prepared);
  expect(statSync(prepared.trainData).mtimeMs).toBe(made);

  const other = temporaryFolder();
  await prepare({ ...settings, seed: 6, folder: other });
  expect(readFileSync(join(other, 'train.csv'))).not.toEqual(readFileSync(prepared.trainData));
});
