import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { type EvalDataType, evalDataTypes } from '../../src/data/data_types';
import { readLabelledSet } from '../../src/data/labelled';
import { decodeImage } from '../../src/images/image';
import { cifarPickle, matFile, noise, put, threeClasses } from '../support/labelled_sets';
import { joined } from '../support/patterns';
import { writeTinySets } from '../support/tiny_sets';
import { temporaryFolder } from './temporary';

const root = temporaryFolder();
process.env.CLEANCLIP_CACHE = join(root, 'cache');
beforeAll(() => writeTinySets(root));

const labelsOf = async (folder: string, dataType: EvalDataType, split: 'test' | 'train' = 'test'): Promise<number[]> =>
  Array.from((await readLabelledSet(folder, { dataType, split })).labels);

/** A copy of a tiny set that a test may spoil. */
function copyOf(set: string): string {
  const folder = temporaryFolder();
  cpSync(join(root, set), folder, { recursive: true });
  return folder;
}

const home: [EvalDataType, string, number[], number[]][] = [
  ['CIFAR10', 'CIFAR10/cifar-10-batches-py', [1, 9, 2, 8, 3, 7, 4, 6, 5, 5], [9, 0, 4]],
  ['CIFAR10', 'CIFAR10-bin/cifar-10-batches-bin', [1, 2, 2, 3, 3, 4, 4, 5, 5, 6], [9, 8, 7]],
  ['CIFAR100', 'CIFAR100/cifar-100-python', [99, 5], [42]],
  ['CIFAR100', 'CIFAR100-bin/cifar-100-binary', [98, 99], [33]],
  ['STL10', 'STL10/stl10_binary', [0, 9], [2, 1, 6]],
  ['SVHN', 'SVHN', [1, 0, 9, 2], [0, 5, 1, 1, 7]],
  ['DTD', 'DTD/dtd/dtd', [1, 2, 0, 0, 2, 1], [2, 0, 1]],
  ['FGVCAircraft', 'FGVCAircraft/fgvc-aircraft-2013b/data', [2, 0], [1]],
  ['Food101', 'Food101/food-101', [2, 2, 1, 0], [2, 1, 0]],
  ['GTSRB', 'GTSRB/gtsrb', [0, 0, 1, 1, 2, 2], [2, 0, 2]],
  ['OxfordIIITPet', 'OxfordIIITPet/oxford-iiit-pet', [0, 1], [36, 0]],
  ['RenderedSST2', 'RenderedSST2/rendered-sst2', [0, 1, 1], [0, 1]],
  ['StanfordCars', 'StanfordCars/stanford_cars', [13, 195], [0, 6, 180]],
];

describe.each(home)('%s in %s', (dataType, inner, trained, tested) => {
  const own = inner.split('/')[0]; // the folder that torchvision is given

  test('is read from the root, the inner folder, and a folder beside it as the Python reference names it', async () => {
    const beside = join(root, own, 'beside');
    mkdirSync(beside, { recursive: true });
    const classes = readdirSync(join(root, own)).includes('classes.json');
    for (const folder of [join(root, own), join(root, inner), beside]) {
      if (classes) writeFileSync(join(folder, 'classes.json'), threeClasses);
      expect(await labelsOf(folder, dataType, 'train')).toEqual(trained);
      expect(await labelsOf(folder, dataType)).toEqual(tested);
    }
  });

  test('gives images that can be decoded, each its own', async () => {
    const { images } = await readLabelledSet(join(root, own), { dataType });
    const pixels = await Promise.all(
      images.map(async (image) => {
        using tensor = await decodeImage(image);
        return Buffer.from(tensor.contiguous().data() as Uint8Array).toString('hex');
      }),
    );
    expect(new Set(pixels).size).toBe(images.length);
  });
});

test('a binary and a pickled CIFAR of the same bytes have the same pixels, by their definition', async () => {
  const pixels = noise(3072, 3);
  const folder = temporaryFolder({
    test_batch: cifarPickle(pixels, [6]),
    'bin/test_batch.bin': Buffer.concat([Buffer.of(6), pixels]),
  });
  for (const place of [folder, join(folder, 'bin')]) {
    const { images } = await readLabelledSet(place, { dataType: 'CIFAR10' });
    using image = await decodeImage(images[0]);
    expect(image.shape).toEqual([3, 32, 32]);
    expect(Buffer.from(image.contiguous().data() as Uint8Array).equals(pixels)).toBe(true);
  }
});

test('SVHN and STL-10 store a plane by columns', async () => {
  for (const [set, side] of [
    ['SVHN', 32],
    ['STL10', 96],
  ] as const) {
    const { images } = await readLabelledSet(join(root, set), { dataType: set });
    const stored = set === 'SVHN' ? noise(3072 * 5, 22) : noise(27648 * 3, 3);
    using image = await decodeImage(images[1]);
    const byColumns = Buffer.from(image.transpose(1, 2).contiguous().data() as Uint8Array);
    expect(byColumns.equals(stored.subarray(3 * side * side, 6 * side * side))).toBe(true);
  }
});

test('SVHN is unpacked once, and anew when it has changed', async () => {
  const folder = copyOf('SVHN');
  const [first] = (await readLabelledSet(folder, { dataType: 'SVHN' })).images;
  expect((await readLabelledSet(folder, { dataType: 'SVHN' })).images[0]).toBe(first);
  expect(first).toContain(join(root, 'cache', 'unpacked', 'test_32x32-'));
  const labels = Buffer.of(3, 4);
  writeFileSync(
    join(folder, 'test_32x32.mat'),
    matFile({ X: { bytes: noise(6144, 1), dims: [32, 32, 3, 2] }, y: { bytes: labels, dims: [2, 1] } }),
  );
  const [second] = (await readLabelledSet(folder, { dataType: 'SVHN' })).images;
  expect(second).not.toBe(first);
  using image = await decodeImage(second);
  expect(image.select(0, 0).select(1, 0).toArray()).toEqual([...noise(6144, 1).subarray(0, 32)]);
});

test('SVHN whose pixels cannot be unpacked says so', async () => {
  const { CLEANCLIP_CACHE: cache } = process.env;
  process.env.CLEANCLIP_CACHE = join(temporaryFolder({ file: '' }), 'file');
  try {
    await expect(readLabelledSet(join(root, 'SVHN'), { dataType: 'SVHN' })).rejects.toMatchObject({
      code: 'ERR_DATA',
      message: expect.stringMatching(
        /test_32x32\.mat could not be unpacked to .* name another folder with CLEANCLIP_CACHE/,
      ),
    });
  } finally {
    process.env.CLEANCLIP_CACHE = cache;
  }
});

test('labels.csv wins, and is accepted for every set, with the class names that ship', async () => {
  for (const dataType of evalDataTypes) {
    const folder = temporaryFolder({ 'labels.csv': 'image,label\na.png,1\n' });
    const set = await readLabelledSet(folder, { dataType, split: 'train' });
    expect(set.images).toEqual([join(folder, 'a.png')]);
    expect([...set.labels]).toEqual([1]);
  }
  const both = copyOf('CIFAR10');
  writeFileSync(join(both, 'labels.csv'), 'image,label\nb.png,3\n');
  expect((await readLabelledSet(both, { dataType: 'CIFAR10' })).images.map((path) => basename(path))).toEqual([
    'b.png',
  ]);
});

test('classes of the folder win over those that ship', async () => {
  const folder = copyOf('OxfordIIITPet');
  expect((await readLabelledSet(folder, { dataType: 'OxfordIIITPet' })).classes[36]).toBe('Yorkshire Terrier');
  put(folder, 'classes.py', `{"classes": [${'"pet", '.repeat(37)}], "templates": [lambda s: f"my {s}"]}`);
  const set = await readLabelledSet(folder, { dataType: 'OxfordIIITPet' });
  expect([set.classes[36], set.templates[0]('x')]).toEqual(['pet', 'my x']);
});

describe('classes that ship', () => {
  const sizes: Record<EvalDataType, number> = {
    Caltech101: 102,
    CIFAR10: 10,
    CIFAR100: 100,
    DTD: 47,
    FGVCAircraft: 100,
    Flowers102: 102,
    Food101: 101,
    GTSRB: 43,
    ImageNet1K: 1000,
    OxfordIIITPet: 37,
    RenderedSST2: 2,
    StanfordCars: 196,
    STL10: 10,
    SVHN: 10,
    ImageNetSketch: 1000,
    ImageNetV2: 1000,
    'ImageNet-A': 200,
    'ImageNet-R': 200,
  };

  test.each(evalDataTypes)('%s has as many names as labels, and templates with a place for them', async (dataType) => {
    const folder = temporaryFolder({ 'labels.csv': 'image,label\na.png,0\n' });
    const { classes, templates } = await readLabelledSet(folder, { dataType });
    expect(classes).toHaveLength(sizes[dataType]);
    expect(classes.filter((name) => name !== name.trim())).toEqual([]);
    for (const template of templates) expect(template('¤')).toContain('¤');
  });

  test('are in the order of the labels', async () => {
    const classesOf = async (dataType: EvalDataType): Promise<string[]> =>
      (await readLabelledSet(temporaryFolder({ 'labels.csv': 'image,label\na.png,0\n' }), { dataType })).classes;
    const sorted = (names: string[]): string[] =>
      [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    for (const dataType of ['CIFAR10', 'DTD', 'FGVCAircraft', 'STL10'] as const) {
      expect(await classesOf(dataType)).toEqual(sorted(await classesOf(dataType)));
    }
    for (const dataType of ['CIFAR100', 'Food101'] as const) {
      // sorted with underscores, where the names here have spaces
      const underscored = (await classesOf(dataType)).map((name) => name.replaceAll(' ', '_'));
      expect(underscored).toEqual(sorted(underscored));
    }
    const pets = (await classesOf('OxfordIIITPet')).map((name) => name.toLowerCase());
    expect(pets).toEqual(sorted(pets));
    expect(await classesOf('RenderedSST2')).toEqual(['negative', 'positive']);
    expect((await classesOf('SVHN'))[0]).toBe('zero');
    expect((await classesOf('StanfordCars'))[195]).toBe('smart fortwo Convertible 2012');
    const imagenet = await classesOf('ImageNet1K');
    expect(imagenet[954]).toBe('banana');
    for (const dataType of ['ImageNet-A', 'ImageNet-R'] as const) {
      // a part of the thousand, in their order
      let at = -1;
      for (const name of await classesOf(dataType)) {
        at = imagenet.indexOf(name, at + 1);
        expect(at).toBeGreaterThanOrEqual(0);
      }
    }
  });
});

describe('one sentence says what is wrong:', () => {
  const spoiled = (set: string, path: string, content: string | Buffer | null): string => {
    const folder = copyOf(set);
    if (content === null) rmSync(join(folder, path), { recursive: true });
    else put(folder, path, content);
    return folder;
  };
  const cut = (set: string, path: string, bytes: number): string => {
    const folder = copyOf(set);
    truncateSync(join(folder, path), bytes);
    return folder;
  };
  const py = 'cifar-10-batches-py/test_batch';
  const bin = 'cifar-10-batches-bin/test_batch.bin';
  const pixels = noise(3072, 1);
  const image = { bytes: noise(3072, 1), dims: [32, 32, 3] };
  const cars = (label: number): Buffer => matFile({ annotations: { structs: [{ class: label, fname: '1.jpg' }] } });

  const cases: [string, () => string, EvalDataType, RegExp][] = [
    [
      'nothing there',
      () => temporaryFolder(),
      'CIFAR10',
      joined(
        /holds no test images of CIFAR10: expected labels\.csv or cifar-10-batches-py\/test_batch /,
        /or cifar-10-batches-bin\/test_batch\.bin there; nothing is downloaded/,
      ),
    ],
    [
      'nothing there of a set with labels.csv only',
      () => temporaryFolder(),
      'Flowers102',
      /expected labels\.csv there/,
    ],
    [
      'a file instead of a folder',
      () => join(temporaryFolder({ a: '' }), 'a'),
      'GTSRB',
      /holds no test images of GTSRB/,
    ],
    [
      'a pickle with a wrong label',
      () => spoiled('CIFAR10', py, cifarPickle(pixels, [10])),
      'CIFAR10',
      /test_batch, record 0: expected a label from 0 to 9, counted from 0, found 10/,
    ],
    [
      'a pickle with too few labels',
      () => spoiled('CIFAR10', py, cifarPickle(pixels, [])),
      'CIFAR10',
      /test_batch: expected "data"/,
    ],
    [
      'a truncated pickle',
      () => cut('CIFAR10', py, 2000),
      'CIFAR10',
      /test_batch is damaged: its pickle has an end in the middle of a value/,
    ],
    [
      'a pickle that calls something',
      () => spoiled('CIFAR10', py, Buffer.from('\x80\x02cos\nsystem\nU\x04exit\x85R.', 'latin1')),
      'CIFAR10',
      /nothing of it was run/,
    ],
    [
      'a truncated batch',
      () => cut('CIFAR10-bin', bin, 3073 + 5),
      'CIFAR10',
      /test_batch\.bin holds 3078 bytes: expected records of 3073/,
    ],
    ['an empty batch', () => cut('CIFAR10-bin', bin, 0), 'CIFAR10', /test_batch\.bin holds 0 bytes/],
    [
      'a wrong label in a batch',
      () => spoiled('CIFAR10-bin', bin, Buffer.concat([Buffer.of(11), pixels])),
      'CIFAR10',
      /test_batch\.bin, record 0: .* found 11/,
    ],
    [
      'STL-10 labels missing',
      () => spoiled('STL10', 'stl10_binary/test_y.bin', null),
      'STL10',
      /test_y\.bin.*no such file/,
    ],
    [
      'STL-10 truncated',
      () => cut('STL10', 'stl10_binary/test_X.bin', 30000),
      'STL10',
      /test_X\.bin holds 30000 bytes: expected 82944, 27648 for each of the 3 labels/,
    ],
    [
      'an STL-10 label of 0',
      () => spoiled('STL10', 'stl10_binary/test_y.bin', Buffer.of(0, 1, 2)),
      'STL10',
      /test_y\.bin, record 0: .* found -1/,
    ],
    [
      'SVHN truncated',
      () => cut('SVHN', 'test_32x32.mat', 700),
      'SVHN',
      /test_32x32\.mat is damaged: it has an end in the middle/,
    ],
    [
      'SVHN without labels',
      () => spoiled('SVHN', 'test_32x32.mat', matFile({ X: image })),
      'SVHN',
      /expected the variables X, bytes \[32, 32, 3, images\], and y/,
    ],
    [
      'an SVHN label of 11',
      () => spoiled('SVHN', 'test_32x32.mat', matFile({ X: image, y: 11 })),
      'SVHN',
      /test_32x32\.mat, record 0: .* found 11/,
    ],
    [
      'a newer MAT-file',
      () => spoiled('SVHN', 'test_32x32.mat', 'MATLAB 7.3 MAT-file'),
      'SVHN',
      /is no MAT-file of version 5/,
    ],
    [
      'DTD without a class',
      () => spoiled('DTD', 'dtd/dtd/labels/test1.txt', 'a/1.jpg\nb/2.jpg\n'),
      'DTD',
      /test1\.txt names 2 classes: expected all 3/,
    ],
    [
      'an unknown variant',
      () => spoiled('FGVCAircraft', 'fgvc-aircraft-2013b/data/images_variant_test.txt', '0000003 DC-3\n1 DC-4\n'),
      'FGVCAircraft',
      /images_variant_test\.txt, line 2: .* found "1 DC-4"/,
    ],
    [
      'too few variants',
      () => spoiled('FGVCAircraft', 'fgvc-aircraft-2013b/data/variants.txt', 'DC-3\n'),
      'FGVCAircraft',
      /variants\.txt names 1 variants: expected all 3/,
    ],
    ['bad JSON', () => spoiled('Food101', 'food-101/meta/test.json', '{'), 'Food101', /test\.json is not valid JSON/],
    [
      'other JSON',
      () => spoiled('Food101', 'food-101/meta/test.json', '{"pho": [1]}'),
      'Food101',
      /test\.json: expected a list of the images of "pho"/,
    ],
    [
      'a GTSRB class of 43',
      () => spoiled('GTSRB', 'gtsrb/GT-final_test.csv', 'Filename;ClassId\n1.ppm;2\n2.ppm;43\n'),
      'GTSRB',
      /GT-final_test\.csv, line 3: .* found 43/,
    ],
    [
      'a GTSRB file without classes',
      () => spoiled('GTSRB', 'gtsrb/GT-final_test.csv', 'Filename;Width\n1.ppm;2\n'),
      'GTSRB',
      /no column "ClassId"/,
    ],
    [
      'a pet without breed',
      () => spoiled('OxfordIIITPet', 'oxford-iiit-pet/annotations/test.txt', 'a_1 1 1 1\nb_1 1\n'),
      'OxfordIIITPet',
      /test\.txt, line 2: expected an image and its class, species and breed/,
    ],
    [
      'a pet of class 38',
      () => spoiled('OxfordIIITPet', 'oxford-iiit-pet/annotations/test.txt', 'a_1 38 1 1\n'),
      'OxfordIIITPet',
      /test\.txt, line 1: .* found 37/,
    ],
    [
      'no pet',
      () => spoiled('OxfordIIITPet', 'oxford-iiit-pet/annotations/test.txt', '\n'),
      'OxfordIIITPet',
      /names no image/,
    ],
    [
      'a review of one kind only',
      () => spoiled('RenderedSST2', 'rendered-sst2/test/positive', null),
      'RenderedSST2',
      /rendered-sst2\/test names 1 classes: expected all 2/,
    ],
    [
      'an empty folder of reviews',
      () => spoiled('RenderedSST2', 'rendered-sst2/test/positive/8.png', null),
      'RenderedSST2',
      /positive holds no image: expected files that end in \.png/,
    ],
    [
      'a car of class 197',
      () => spoiled('StanfordCars', 'stanford_cars/cars_test_annos_withlabels.mat', cars(197)),
      'StanfordCars',
      /cars_test_annos_withlabels\.mat, record 0: .* found 196/,
    ],
    [
      'cars without classes',
      () =>
        spoiled(
          'StanfordCars',
          'stanford_cars/cars_test_annos_withlabels.mat',
          matFile({ annotations: { structs: [{ fname: '1.jpg' }] } }),
        ),
      'StanfordCars',
      /expected structures "annotations" with the fields fname and class/,
    ],
  ];

  test.each(cases)('%s', async (_, make, dataType, message) => {
    const outcome: unknown = await readLabelledSet(make(), { dataType }).catch((error: unknown) => error);
    expect(outcome).toMatchObject({
      name: 'CleanclipError',
      code: 'ERR_DATA',
      message: expect.stringMatching(message),
    });
    expect((outcome as Error).message).not.toContain('\n');
  });

  test('images that are missing, when they are decoded', async () => {
    const folder = spoiled('GTSRB', 'gtsrb/GTSRB/Final_Test/Images/00001.ppm', null);
    const { images } = await readLabelledSet(folder, { dataType: 'GTSRB' });
    await expect(decodeImage(images[1])).rejects.toThrow(
      /Expected an image in .*00001\.ppm', but there is no such file/,
    );
  });

  test('an unknown set or split', async () => {
    await expect(readLabelledSet(root, { dataType: 'MNIST' as EvalDataType })).rejects.toMatchObject({
      code: 'ERR_OPTION',
      message: expect.stringMatching(/one of Caltech101, CIFAR10.* but is 'MNIST'/),
    });
    await expect(readLabelledSet(root, { split: 'val' as 'test' })).rejects.toMatchObject({ code: 'ERR_OPTION' });
  });

  test('a set of no name without class names', async () => {
    await expect(readLabelledSet(temporaryFolder())).rejects.toThrow(
      /neither classes\.json nor classes\.py: .* --eval_data_type/,
    );
  });
});

test('any truncation or changed byte of a binary file gives a set or an error, never anything else', async () => {
  const files: [EvalDataType, string][] = [
    ['CIFAR10', 'CIFAR10/cifar-10-batches-py/test_batch'],
    ['StanfordCars', 'StanfordCars/stanford_cars/cars_test_annos_withlabels.mat'],
    ['SVHN', 'SVHN/test_32x32.mat'],
  ];
  const random = noise(3000, 5);
  for (const [dataType, path] of files) {
    const whole = readFileSync(join(root, path));
    const folder = temporaryFolder();
    for (let i = 0; i < 150; i++) {
      const changed = Buffer.from(
        whole.subarray(0, i % 3 === 0 ? Math.floor((random[i] / 256) * whole.length) : whole.length),
      );
      const place = Math.floor(
        ((random[2 * i] * 256 + random[2 * i + 1]) / 65536) * Math.min(whole.length, i % 2 ? 400 : whole.length),
      );
      if (place < changed.length) changed[place] = random[300 + i];
      writeFileSync(join(folder, basename(path)), changed);
      const outcome = await readLabelledSet(folder, { dataType }).catch((error: unknown) => error);
      if (outcome instanceof Error) expect(outcome).toMatchObject({ name: 'CleanclipError', code: 'ERR_DATA' });
    }
  }
});
