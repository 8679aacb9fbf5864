import { cifarMeta, cifarPickle, jpeg, matFile, noise, png, ppm, put, threeClasses } from './labelled_sets';

const planes = 3072;

/**
 * Writes every set that torchvision reads, a few images each, into a folder of its own name below `root`; CIFAR also in
 * its binary version, as `CIFAR10-bin` and `CIFAR100-bin`. Where the numbers of the classes follow from names there are
 * three classes.
 */
export async function writeTinySets(root: string): Promise<void> {
  const at =
    (set: string) =>
    (path: string, content: string | Buffer): void =>
      put(`${root}/${set}`, path, content);

  const cifar10 = at('CIFAR10/cifar-10-batches-py');
  for (let i = 1; i <= 5; i++) cifar10(`data_batch_${i}`, cifarPickle(noise(2 * planes, i), [i, 10 - i]));
  cifar10('test_batch', cifarPickle(noise(3 * planes, 9), [9, 0, 4]));
  cifar10('batches.meta', cifarMeta('label_names', ['airplane', 'automobile']));
  const cifar100 = at('CIFAR100/cifar-100-python');
  cifar100('train', cifarPickle(noise(2 * planes, 11), [99, 5], 'fine_labels'));
  cifar100('test', cifarPickle(noise(1 * planes, 12), [42], 'fine_labels'));
  cifar100('meta', cifarMeta('fine_label_names', ['apple']));
  const records = (count: number, seed: number, labels: (i: number) => number[]): Buffer =>
    Buffer.concat(
      Array.from({ length: count }, (_, i) => Buffer.concat([Buffer.from(labels(i)), noise(planes, seed + i)])),
    );
  for (let i = 1; i <= 5; i++)
    at('CIFAR10-bin/cifar-10-batches-bin')(
      `data_batch_${i}.bin`,
      records(2, 10 * i, (k) => [i + k]),
    );
  at('CIFAR10-bin/cifar-10-batches-bin')(
    'test_batch.bin',
    records(3, 90, (k) => [9 - k]),
  );
  at('CIFAR100-bin/cifar-100-binary')(
    'train.bin',
    records(2, 60, (k) => [19, 98 + k]),
  );
  at('CIFAR100-bin/cifar-100-binary')(
    'test.bin',
    records(1, 80, () => [7, 33]),
  );

  const stl10 = at('STL10/stl10_binary');
  for (const [split, labels] of [
    ['train', [1, 10]],
    ['test', [3, 2, 7]],
  ] as const) {
    stl10(`${split}_X.bin`, noise(27648 * labels.length, labels.length));
    stl10(`${split}_y.bin`, Buffer.from(labels));
  }
  stl10('unlabeled_X.bin', '');

  const svhn = (labels: number[], seed: number, compress: boolean): Buffer =>
    matFile(
      {
        X: { bytes: noise(planes * labels.length, seed), dims: [32, 32, 3, labels.length] },
        y: { bytes: Buffer.from(labels), dims: [labels.length, 1] },
      },
      { compress },
    );
  at('SVHN')('train_32x32.mat', svhn([1, 10, 9, 2], 21, false));
  at('SVHN')('test_32x32.mat', svhn([10, 5, 1, 1, 7], 22, true));

  const dtd = at('DTD/dtd/dtd');
  const textures = {
    test1: ['woven/a', 'banded/b', 'lined/c'],
    train1: ['lined/d', 'woven/e', 'banded/f'],
    val1: ['banded/g', 'woven/h', 'lined/i'],
  };
  for (const [name, images] of Object.entries(textures)) {
    dtd(`labels/${name}.txt`, images.map((image) => `${image}.jpg\n`).join(''));
    for (const [i, image] of images.entries()) dtd(`images/${image}.jpg`, await jpeg(i + name.length));
  }
  at('DTD')('classes.json', threeClasses);

  const aircraft = at('FGVCAircraft/fgvc-aircraft-2013b/data');
  aircraft('variants.txt', 'DC-3\nF-16A/B\nCessna 172\n');
  aircraft('images_variant_trainval.txt', '0000001 Cessna 172\n0000002 DC-3\n');
  aircraft('images_variant_test.txt', '0000003 F-16A/B\n');
  for (let i = 1; i <= 3; i++) aircraft(`images/000000${i}.jpg`, await jpeg(30 + i));
  at('FGVCAircraft')('classes.json', threeClasses);

  const food = at('Food101/food-101');
  const dishes = {
    train: { pho: ['pho/2', 'pho/1'], cheesecake: ['cheesecake/3'], cheese_plate: ['cheese_plate/9'] },
    test: { pho: ['pho/4'], cheesecake: ['cheesecake/5'], cheese_plate: ['cheese_plate/6'] },
  };
  for (const [split, lists] of Object.entries(dishes)) {
    food(`meta/${split}.json`, JSON.stringify(lists));
    food(`meta/${split}.txt`, Object.values(lists).flat().join('\n'));
    for (const [i, path] of Object.values(lists).flat().entries()) food(`images/${path}.jpg`, await jpeg(40 + i));
  }
  at('Food101')('classes.json', threeClasses);

  const gtsrb = at('GTSRB/gtsrb');
  for (let c = 0; c < 3; c++) {
    gtsrb(`GTSRB/Training/0000${c}/00000_00000.ppm`, ppm(50 + c));
    gtsrb(`GTSRB/Training/0000${c}/00000_00001.ppm`, ppm(60 + c, 5, 7));
    gtsrb(`GTSRB/Training/0000${c}/GT-0000${c}.csv`, 'Filename;Width\n');
    gtsrb(`GTSRB/Final_Test/Images/0000${c}.ppm`, ppm(70 + c));
  }
  gtsrb(
    'GT-final_test.csv',
    'Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId\n' +
      '00000.ppm;6;4;0;0;1;1;2\n00001.ppm;6;4;0;0;1;1;0\n00002.ppm;6;4;0;0;1;1;2\n',
  );
  at('GTSRB')('classes.json', threeClasses);

  const pets = at('OxfordIIITPet/oxford-iiit-pet');
  pets('annotations/trainval.txt', 'Abyssinian_1 1 1 1\namerican_bulldog_2 2 2 1\n');
  pets('annotations/test.txt', 'yorkshire_terrier_3 37 2 25\nAbyssinian_4 1 1 1\n');
  for (const [i, name] of ['Abyssinian_1', 'american_bulldog_2', 'yorkshire_terrier_3', 'Abyssinian_4'].entries())
    pets(`images/${name}.jpg`, await jpeg(80 + i));

  const sst2 = at('RenderedSST2/rendered-sst2');
  for (const [i, path] of [
    'train/positive/2.png',
    'train/positive/10.png',
    'train/negative/1.png',
    'test/negative/7.png',
    'test/positive/8.png',
  ].entries()) {
    sst2(path, await png(90 + i));
  }

  const cars = at('StanfordCars/stanford_cars');
  const annotations = (names: [string, number][], compress: boolean): Buffer =>
    matFile(
      { annotations: { structs: names.map(([fname, label]) => ({ bbox_x1: 3, class: label, fname })) } },
      { compress },
    );
  cars(
    'devkit/cars_train_annos.mat',
    annotations(
      [
        ['00001.jpg', 14],
        ['00002.jpg', 196],
      ],
      true,
    ),
  );
  cars(
    'cars_test_annos_withlabels.mat',
    annotations(
      [
        ['00001.jpg', 1],
        ['00002.jpg', 7],
        ['00003.jpg', 181],
      ],
      false,
    ),
  );
  cars(
    'devkit/cars_meta.mat',
    matFile({ class_names: { cells: ['AM General Hummer SUV 2000', 'Acura RL Sedan 2012'] } }),
  );
  for (let i = 1; i <= 2; i++) cars(`cars_train/0000${i}.jpg`, await jpeg(100 + i));
  for (let i = 1; i <= 3; i++) cars(`cars_test/0000${i}.jpg`, await jpeg(110 + i));
}
