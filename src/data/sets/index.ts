import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { dataError } from '../../errors';
import type { EvalDataType } from '../data_types';
import { readCifarBinary, readCifarPickles } from './cifar';
import { readClassFolders, readGtsrbTest } from './image_folders';
import { readAircraft, readDtd, readFood101, readPets } from './image_lists';
import type { LabelledImages } from './reading';
import { readStanfordCars } from './stanford_cars';
import { readStl10 } from './stl10';
import { readSvhn } from './svhn';

/** The split of a labelled set. */
export type Split = 'test' | 'train';

/** A layout of a set on disk. */
interface Layout {
  /** its folder, relative to torchvision's root */
  home: string;
  /** the file that shows that a split is there; a slash at the end means a folder */
  marker: Record<Split, string>;
  read(home: string, split: Split, classes: number): LabelledImages | Promise<LabelledImages>;
}

const five = [1, 2, 3, 4, 5];

/**
 * The layouts that torchvision reads, and CIFAR's binary ones. Every other set needs a `labels.csv` in its folder.
 */
const layouts: Partial<Record<EvalDataType, Layout[]>> = {
  CIFAR10: [
    {
      home: 'cifar-10-batches-py',
      marker: { test: 'test_batch', train: 'data_batch_1' },
      read: (home, split, classes) =>
        readCifarPickles(home, split === 'test' ? ['test_batch'] : five.map((i) => `data_batch_${i}`), classes),
    },
    {
      home: 'cifar-10-batches-bin',
      marker: { test: 'test_batch.bin', train: 'data_batch_1.bin' },
      read: (home, split, classes) =>
        readCifarBinary(
          home,
          split === 'test' ? ['test_batch.bin'] : five.map((i) => `data_batch_${i}.bin`),
          1,
          classes,
        ),
    },
  ],
  CIFAR100: [
    {
      home: 'cifar-100-python',
      marker: { test: 'test', train: 'train' },
      read: (home, split, classes) => readCifarPickles(home, [split], classes),
    },
    {
      home: 'cifar-100-binary',
      marker: { test: 'test.bin', train: 'train.bin' },
      read: (home, split, classes) => readCifarBinary(home, [`${split}.bin`], 2, classes),
    },
  ],
  DTD: [
    {
      home: 'dtd/dtd',
      marker: { test: 'labels/test1.txt', train: 'labels/train1.txt' },
      read: (home, split, classes) =>
        readDtd(home, split === 'test' ? ['test1.txt'] : ['train1.txt', 'val1.txt'], classes),
    },
  ],
  FGVCAircraft: [
    {
      home: 'fgvc-aircraft-2013b/data',
      marker: { test: 'images_variant_test.txt', train: 'images_variant_trainval.txt' },
      read: (home, split, classes) => readAircraft(home, split === 'test' ? 'test' : 'trainval', classes),
    },
  ],
  Food101: ['json', 'txt'].map((ending) => ({
    home: 'food-101',
    marker: { test: `meta/test.${ending}`, train: `meta/train.${ending}` },
    read: readFood101,
  })),
  GTSRB: [
    {
      home: 'gtsrb',
      marker: { test: 'GT-final_test.csv', train: 'GTSRB/Training/' },
      read: (home, split, classes) =>
        split === 'test'
          ? readGtsrbTest(join(home, 'GT-final_test.csv'), classes)
          : readClassFolders(join(home, 'GTSRB/Training'), '.ppm', classes),
    },
  ],
  OxfordIIITPet: [
    {
      home: 'oxford-iiit-pet',
      marker: { test: 'annotations/test.txt', train: 'annotations/trainval.txt' },
      read: (home, split, classes) => readPets(home, split === 'test' ? 'test' : 'trainval', classes),
    },
  ],
  RenderedSST2: [
    {
      home: 'rendered-sst2',
      marker: { test: 'test/negative/', train: 'train/negative/' },
      read: (home, split, classes) => readClassFolders(join(home, split), '.png', classes),
    },
  ],
  StanfordCars: ['cars_test_annos_withlabels.mat', 'devkit/cars_test_annos_withlabels.mat'].map((test) => {
    const marker = { test, train: 'devkit/cars_train_annos.mat' };
    return {
      home: 'stanford_cars',
      marker,
      read: (home, split, classes) => readStanfordCars(join(home, marker[split]), join(home, `cars_${split}`), classes),
    };
  }),
  STL10: [
    {
      home: 'stl10_binary',
      marker: { test: 'test_X.bin', train: 'train_X.bin' },
      read: readStl10,
    },
  ],
  SVHN: [
    {
      home: '.',
      marker: { test: 'test_32x32.mat', train: 'train_32x32.mat' },
      read: (home, split, classes) => readSvhn(join(home, `${split}_32x32.mat`), classes),
    },
  ],
};

/**
 * Reads a set in the layout of torchvision. The folder may be torchvision's root, the folder of the set, or a folder
 * between them. As in the Python reference, it may also lie beside the folder of the set (`CIFAR10/test` for
 * `CIFAR10/cifar-10-batches-py`).
 *
 * @param classes number of classes of the set
 * @throws CleanclipError ERR_DATA: the set is not there, or one of its files is missing or malformed
 */
export async function readSet(
  folder: string,
  dataType: EvalDataType,
  split: Split,
  classes: number,
): Promise<LabelledImages> {
  const root = resolve(folder);
  const known = layouts[dataType] ?? [];
  for (const { home, marker, read } of known) {
    const homes = [...tails(home).map((tail) => join(root, tail)), join(dirname(root), home)];
    const found = homes.find((path) => isThere(join(path, marker[split])));
    if (found !== undefined) return read(found, split, classes);
  }
  const wanted = ['labels.csv', ...new Set(known.map(({ home, marker }) => join(home, marker[split])))];
  throw dataError(
    `${folder} holds no ${split} images of ${dataType}: expected ${wanted.join(' or ')} there; nothing is downloaded.`,
  );
}

/** The tails of a path, such as `dtd/dtd`, `dtd` and the empty one: the user's folder may contain its first parts. */
function tails(home: string): string[] {
  const parts = home.split('/');
  return [...parts.map((_, i) => parts.slice(i).join('/')), ''];
}

function isThere(path: string): boolean {
  try {
    return statSync(path).isDirectory() === path.endsWith('/');
  } catch {
    return false;
  }
}
