import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import sharp from 'sharp';

import { type PoisonOptions, runPoison } from '../../src/backdoor/poison';
import { readPairs } from '../../src/data/pairs';
import type { ProgressEvent } from '../../src/progress';
import { torch } from '../../src/torch';
import { temporaryFolder } from '../data/temporary';

const side = 24;
const captions = [
  'a banana',
  'a fig',
  'ripe Bananas',
  'Banana bread',
  'a plum',
  'a pear',
  'a kiwi',
  'an "odd", caption',
];
const classes = JSON.stringify({ classes: ['fig', 'banana'], templates: ['a photo of a {}.', 'one {}!'] });
const options = { numBackdoor: 3, imageSize: side, patchSize: 4, seed: 1 };

/** A set of eight pairs; images of one name lie in two folders. */
async function makeSet(header = 'image,caption', delimiter = ','): Promise<string> {
  const images = await Promise.all(
    captions.map((_, i) =>
      sharp({ create: { width: side, height: side, channels: 3, background: { r: 20 * i, g: 90, b: 120 } } })
        .png()
        .toBuffer(),
    ),
  );
  const names = captions.map((_, i) => `${i % 2 ? 'odd' : 'even'}/${Math.floor(i / 2)}.png`);
  const rows = captions.map((caption, i) => `${names[i]}${delimiter}"${caption.replaceAll('"', '""')}"\n`);
  return temporaryFolder({
    ...Object.fromEntries(names.map((name, i) => [name, images[i]])),
    'classes.json': classes,
    'train.csv': `${header}\n${rows.join('')}`,
  });
}

const poison = (folder: string, more: Partial<PoisonOptions> = {}) =>
  runPoison({ ...options, trainData: join(folder, 'train.csv'), templates: join(folder, 'classes.json'), ...more });

/** Whether an event tells of poisoned images, not of reading the csv. */
const isOfImages = (event: ProgressEvent): event is Extract<ProgressEvent, { type: 'progress' }> =>
  event.type === 'progress' && event.text === 'images poisoned';

const pixels = (file: string): Promise<Buffer> => sharp(file).raw().toBuffer();

/** The files that poisoning made, with their bytes. */
function written(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /backdoor.*\.(png|jpg|csv)$/.test(file),
  );
  return Object.fromEntries(files.sort().map((file) => [file, readFileSync(join(folder, file), 'base64')]));
}

test('poisoned rows come first with the trigger and the label, then the others as they were', async () => {
  const folder = await makeSet();
  const progress: ProgressEvent[] = [];
  const trainData = join(folder, 'train.csv');
  const result = await runPoison(
    { ...options, trainData, templates: join(folder, 'classes.json'), sizeTrainData: 6 },
    { onProgress: (event) => isOfImages(event) && progress.push(event) },
  );
  expect(result).toEqual({
    trainData: join(folder, 'backdoor_banana_random_random_4_6_3.csv'),
    csv: join(folder, 'backdoor_banana_random_random_4_6_3.csv'),
    originalCsv: join(folder, 'original_backdoor_banana_random_random_4_6_3.csv'),
    imagesDir: join(folder, 'backdoor_images_banana_random_random_4_6_3'),
    poisoned: 3,
  });
  expect(progress).toEqual([1, 2, 3].map((done) => ({ type: 'progress', done, total: 3, text: 'images poisoned' })));
  expect(readFileSync(result.trainData, 'utf8')).toMatch(
    /^image,caption,is_backdoor\nbackdoor_images_banana_random_random_4_6_3\//,
  );

  const [clean, set, original] = await Promise.all(
    [trainData, result.trainData, result.originalCsv].map((file) => readPairs(file)),
  );
  expect([set.length, original.length]).toEqual([6, 3]);
  expect(Array.from({ length: 6 }, (_, i) => set.isBackdoor(i))).toEqual([true, true, true, false, false, false]);
  for (let i = 0; i < 3; i++) {
    expect(set.caption(i)).toMatch(/^(a photo of a banana\.|one banana!)$/);
    const [before, after] = await Promise.all([pixels(original.image(i)), pixels(set.image(i))]);
    const changed = after.filter((value, k) => value !== before[k]).length;
    expect(changed).toBeGreaterThan(4 * 4 * 2);
    expect(changed).toBeLessThanOrEqual(4 * 4 * 3);
  }
  const rows = new Map(Array.from({ length: 8 }, (_, i) => [clean.imageField(i), clean.caption(i)]));
  for (let i = 3; i < 6; i++) expect(rows.get(set.imageField(i))).toBe(set.caption(i));
  for (let i = 0; i < 3; i++) expect(rows.get(original.imageField(i))).toBe(original.caption(i));
  expect(
    new Set([3, 4, 5].map((i) => set.imageField(i)).concat([0, 1, 2].map((i) => original.imageField(i)))).size,
  ).toBe(6);
});

test('rows that cannot be used are left out and told', async () => {
  const folder = await makeSet();
  const trainData = join(folder, 'train.csv');
  appendFileSync(trainData, Buffer.from('images/a.png,caf\xe9\n,nothing\n', 'latin1'));
  const { badRows } = await runPoison({ ...options, trainData, templates: join(folder, 'classes.json') });
  expect(badRows).toMatchObject({
    count: 2,
    examples: [{ reason: expect.stringContaining('0xE9, is no UTF-8') }, { reason: 'it names no image' }],
  });
});

test('images of the same name in different folders do not overwrite one another', async () => {
  const folder = await makeSet();
  const { imagesDir } = await poison(folder, { numBackdoor: 8 });
  expect(readdirSync(imagesDir!)).toHaveLength(8);
});

test('the same seed gives the same bytes, another seed others', async () => {
  const [first, second, third] = await Promise.all([makeSet(), makeSet(), makeSet()]);
  await poison(first);
  await poison(second);
  await poison(third, { seed: 2 });
  expect(Object.keys(written(first))).toHaveLength(5);
  expect(written(second)).toEqual(written(first));
  expect(written(third)).not.toEqual(written(first));
  await poison(first, { seed: 2 });
  expect(written(first)).toEqual(written(third));
});

test('label-consistent: only captions with the label as a word, and they stay', async () => {
  const folder = await makeSet();
  const { trainData: csv } = await poison(folder, { labelConsistent: true, numBackdoor: 2, templates: undefined });
  expect(basename(csv)).toBe('backdoor_banana_random_random_4_8_2_label_consistent.csv');
  const set = await readPairs(csv);
  expect([set.caption(0), set.caption(1)].sort()).toEqual(['Banana bread', 'a banana']);
});

test('columns, delimiter and image format can be chosen; a Python classes file will do', async () => {
  const folder = await makeSet('filepath\ttitle', '\t');
  writeFileSync(join(folder, 'classes.py'), '{"classes": ["fig"], "templates": [lambda s: f"the {s}"]}');
  const columns = { imageKey: 'filepath', captionKey: 'title', delimiter: '\\t' };
  const { trainData: csv } = await poison(folder, {
    ...columns,
    imageFormat: 'jpg',
    label: 'fig',
    templates: join(folder, 'classes.py'),
  });
  const set = await readPairs(csv, columns);
  expect(set.caption(0)).toBe('the fig');
  expect((await sharp(set.image(0)).metadata()).format).toBe('jpeg');
  expect(set.length).toBe(8);
});

test('images are resized and cropped to the resolution of the model before the trigger goes on', async () => {
  const folder = await makeSet();
  const { imagesDir } = await poison(folder, {
    imageSize: 8,
    patchType: 'yellow',
    patchLocation: 'four_corners',
    patchSize: 2,
  });
  for (const name of readdirSync(imagesDir!)) {
    const { data, info } = await sharp(join(imagesDir!, name)).raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height, ...data.subarray(0, 3)]).toEqual([8, 8, 255, 255, 0]);
  }
});

test.each<[Partial<PoisonOptions>, string, RegExp]>([
  [{ numBackdoor: 9 }, 'ERR_OPTION', /--num_backdoor is 9/],
  [{ sizeTrainData: 9 }, 'ERR_OPTION', /--size_train_data is 9/],
  [{ patchSize: 25 }, 'ERR_OPTION', /patch.?size.* 25/i],
  [{ patchType: 'blinking' as never }, 'ERR_OPTION', /blinking/],
  [{ captionKey: 'title' }, 'ERR_DATA', /no column "title"/],
  [{ labelConsistent: true }, 'ERR_DATA', /only 2 captions contain the word "banana"/],
])('%j is refused and nothing is written', async (more, code, message) => {
  const folder = await makeSet();
  await expect(poison(folder, more)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  expect(readdirSync(folder).sort()).toEqual(['classes.json', 'even', 'odd', 'train.csv']);
});

test('an image that cannot be read leaves the earlier set as it was', async () => {
  const folder = await makeSet();
  await poison(folder, { numBackdoor: 8 });
  const before = written(folder);
  writeFileSync(join(folder, 'even/1.png'), 'no image');
  await expect(poison(folder, { numBackdoor: 8, seed: 2 })).rejects.toMatchObject({
    code: 'ERR_DATA',
    message: expect.stringContaining('even/1.png'),
  });
  expect(written(folder)).toEqual(before);
  expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

test('the signal stops it, and nothing is written or kept in memory', async () => {
  const folder = await makeSet();
  const { tensors } = torch.memory();
  const controller = new AbortController();
  const job = runPoison(
    { ...options, trainData: join(folder, 'train.csv'), templates: join(folder, 'classes.json') },
    { signal: controller.signal, onProgress: (event) => isOfImages(event) && controller.abort() },
  );
  await expect(job).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  expect(written(folder)).toEqual({});
  expect(torch.memory().tensors).toBe(tensors);
});

test('compat reference squashes images that are not square', async () => {
  const folder = await makeSet();
  const wide = await sharp({ create: { width: 48, height: 24, channels: 3, background: '#000' } })
    .composite([{ input: { create: { width: 12, height: 24, channels: 3, background: '#fff' } }, left: 0, top: 0 }])
    .png()
    .toBuffer();
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
    if (name.endsWith('.png')) writeFileSync(join(folder, name), wide);
  const patch = { patchType: 'yellow', patchSize: 1 } as const;
  const columns = async (compat?: 'reference'): Promise<number[]> => {
    const { imagesDir } = await poison(folder, { ...patch, compat });
    const raw = await pixels(join(imagesDir!, readdirSync(imagesDir!)[0]));
    return [2, 12].map((column) => raw[3 * (12 * side + column)]);
  };
  expect(await columns('reference')).toEqual([255, 0]); // the white quarter is there
  expect(await columns()).toEqual([0, 0]);
});

test('where an image cannot be read another row is poisoned, and that is told', async () => {
  const folder = await makeSet();
  await poison(folder);
  const [first] = await poisonedRows(folder);
  const broken = await makeSet();
  writeFileSync(join(broken, first), 'no image');
  const { poisoned, replaced, trainData: csv } = await poison(broken);
  expect(poisoned).toBe(3);
  expect(replaced).toEqual([
    { row: expect.any(Number), by: expect.any(Number), reason: expect.stringContaining(basename(first)) },
  ]);
  const rows = await readPairs(csv);
  expect(
    Array.from({ length: rows.length }, (_, i) => rows.imageField(i)).filter((field) => field === first),
  ).toHaveLength(1);
  for (const i of [0, 1, 2]) expect(rows.isBackdoor(i)).toBe(true);
});

test('when no other row is left, that is an error and nothing is written', async () => {
  const folder = await makeSet();
  writeFileSync(join(folder, 'even/0.png'), 'no image');
  await expect(poison(folder, { numBackdoor: 8 })).rejects.toMatchObject({
    code: 'ERR_DATA',
    message: expect.stringMatching(/no other row is left to poison/),
  });
  expect(written(folder)).toEqual({});
});

/** The image fields of the rows that were picked, in their order. */
async function poisonedRows(folder: string): Promise<string[]> {
  const name = readdirSync(folder).find((file) => file.startsWith('original_backdoor'))!;
  const rows = await readPairs(join(folder, name));
  return Array.from({ length: rows.length }, (_, i) => rows.imageField(i));
}
