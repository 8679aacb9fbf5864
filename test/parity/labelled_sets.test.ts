import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type EvalDataType, evalDataTypes } from '../../src/data/data_types';
import { readLabelledSet } from '../../src/data/labelled';
import { decodeImage } from '../../src/images/image';
import { writeTinySets } from '../support/tiny_sets';
import { python } from './python';

interface Item {
  label: number;
  shape: number[];
  /** base64 */
  pixels: string;
}

const root = mkdtempSync(join(tmpdir(), 'cleanclip-sets-'));
process.env.CLEANCLIP_CACHE = join(root, 'cache');
let expected: Record<string, Item[]>;

beforeAll(async () => {
  await writeTinySets(root);
  expected = python('labelled_sets.py', { root }) as Record<string, Item[]>;
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

// labels.csv only
const listed = ['Caltech101', 'Flowers102', 'ImageNet1K', 'ImageNetSketch', 'ImageNetV2', 'ImageNet-A', 'ImageNet-R'];
const cases = evalDataTypes
  .filter((name) => !listed.includes(name))
  .flatMap(
    (name) =>
      [
        [name, 'train'],
        [name, 'test'],
      ] as [EvalDataType, 'train' | 'test'][],
  );

async function read(folder: string, dataType: EvalDataType, split: 'train' | 'test'): Promise<Item[]> {
  const set = await readLabelledSet(folder, { dataType, split });
  const items: Item[] = [];
  for (const [i, image] of set.images.entries()) {
    using pixels = await decodeImage(image);
    const bytes = pixels.contiguous().data() as Uint8Array;
    items.push({ label: set.labels[i], shape: pixels.shape, pixels: Buffer.from(bytes).toString('base64') });
  }
  return items;
}

test.each(cases)('%s, %s: labels and pixels are those of torchvision’s class', async (dataType, split) => {
  const items = await read(join(root, dataType), dataType, split);
  expect(items.length).toBeGreaterThan(0);
  expect(items).toEqual(expected[`${dataType} ${split}`]);
});

test.each([3, 4, 5])('a batch of CIFAR-10 that Python pickled again with protocol %i is the same', async (protocol) => {
  expect(await read(join(root, 'again', `pickle${protocol}`), 'CIFAR10', 'test')).toEqual(expected['CIFAR10 test']);
});

test.each(['False', 'True'])('MAT-files that scipy wrote, compressed: %s, are the same', async (compressed) => {
  const folder = join(root, 'again', `mat${compressed}`);
  expect(await read(folder, 'SVHN', 'test')).toEqual(expected['SVHN test']);
  const { labels } = await readLabelledSet(folder, { dataType: 'StanfordCars' });
  expect([...labels]).toEqual(expected['StanfordCars test'].map(({ label }) => label));
});
