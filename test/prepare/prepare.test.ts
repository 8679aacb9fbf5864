import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { create, Header } from 'tar';

import { prepare, readLabelledSet, readPairs } from '../../src';
import { type PrepareOptions, runPrepare } from '../../src/prepare/prepare';
import { command } from '../support/command';
import { matFile } from '../support/labelled_sets';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'prepare-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Writes a file below the folder, and returns its path. */
function put(name: string, content: string | Uint8Array = ''): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

const run = (...args: string[]): ReturnType<typeof command>['ended'] =>
  command('cleanclip', ['prepare', ...args], folder).ended;

const captions = (name: string, count = 5): { raw: string; tokens: string[]; sentid: number }[] =>
  Array.from({ length: count }, (_, i) => ({ raw: `Caption ${i} of ${name}, a "dog" .`, tokens: [], sentid: i }));

test("Flickr30k from Karpathy's JSON", async () => {
  const images = ['1000092795.jpg', '10002456.jpg', '1000268201.jpg'].map((filename, i) => ({
    ...{ sentids: [0, 1, 2, 3, 4], imgid: i, split: i === 0 ? 'train' : 'test', filename },
    sentences: captions(filename),
  }));
  put('dataset_flickr30k.json', JSON.stringify({ images, dataset: 'flickr30k' }));
  for (const { filename } of images) put(`flickr30k-images/${filename}`);
  const args = ['-i', 'dataset_flickr30k.json', '--images', 'flickr30k-images', '-o', 'test.csv'];
  const { code, stdout } = await run('flickr30k', ...args);
  expect(stdout).toMatch(/test\.csv has 10 rows of 2 images$/m);
  expect(code).toBe(0);
  const lines = readFileSync(join(folder, 'test.csv'), 'utf8').trim().split('\n');
  expect(lines[1]).toBe('flickr30k-images/10002456.jpg,"Caption 0 of 10002456.jpg, a ""dog"" ."');
  const table = await readPairs(join(folder, 'test.csv'));
  expect([table.length, table.image(9)]).toEqual([10, join(folder, 'flickr30k-images/1000268201.jpg')]);
});

test('Flickr30k from results.csv, with the line that lacks its second |', async () => {
  const lines = [
    'image_name| comment_number| comment',
    '1000092795.jpg| 0| Two young guys with shaggy hair , outside .',
    '1000092795.jpg| 1| Two young , White males are outside near many bushes .',
    '2199200615.jpg| 0| A dog is running .',
    '2199200615.jpg| 4   A dog runs across the grass .',
  ];
  const input = put('results.csv', `${lines.join('\n')}\n`);
  for (const name of ['1000092795.jpg', '2199200615.jpg']) put(`images/${name}`);
  const output = join(folder, 'all.csv');
  const result = await prepare({ set: 'flickr30k', input, images: join(folder, 'images'), output });
  expect(result).toEqual({ output, rows: 4, images: 2, missing: 0, leftOut: 0 });
  const table = await readPairs(output);
  expect(table.caption(3)).toBe('A dog runs across the grass .');
});

test('MSCOCO takes five captions per image of the split, from the folder that the JSON names', async () => {
  const images = [3, 5, 7].map((count, i) => ({
    ...{ filepath: 'val2014', filename: `COCO_val2014_${i}.jpg`, split: i === 0 ? 'restval' : 'test', cocoid: i },
    sentences: captions(`coco ${i}`, count),
  }));
  const input = put('dataset_coco.json', JSON.stringify({ dataset: 'coco', images }));
  for (const { filename } of images) put(`coco/val2014/${filename}`);
  const output = join(folder, 'coco.csv');
  const options = { set: 'mscoco', input, images: join(folder, 'coco'), output } as const;
  expect(await prepare(options)).toMatchObject({ rows: 10, images: 2 });
  expect(await prepare({ ...options, split: 'all', captions: 9 })).toMatchObject({ rows: 15, images: 3 });
  await expect(prepare({ ...options, split: 'val' })).rejects.toThrow(/no image of the split val; its splits are rest/);
  rmSync(join(folder, 'coco/val2014/COCO_val2014_1.jpg'));
  await expect(prepare(options)).rejects.toThrow(/1 images that .* names are not there, '.*COCO_val2014_1\.jpg' first/);
  expect(await prepare({ ...options, allowMissing: true })).toMatchObject({ rows: 10, missing: 5 });
});

test("ImageNet's labels are those of the WordNet ids in their order", async () => {
  const synset = (id: number, wnid: string, children = 0): Record<string, number | string> => ({
    ...{ ILSVRC2012_ID: id, WNID: wnid, words: `words of ${wnid}`, gloss: 'a gloss', num_children: children },
    ...{ wordnet_height: 0, num_train_images: 1300 },
  });
  const structs = [synset(1, 'n03'), synset(2, 'n01'), synset(3, 'n02'), synset(4, 'n00', 2)];
  put('ILSVRC2012_devkit_t12/data/meta.mat', matFile({ synsets: { structs } }));
  put('ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt', '3\n1\n2\n');
  for (const i of [1, 2, 3]) put(`val/ILSVRC2012_val_0000000${i}.JPEG`);
  put('val/classes.json', JSON.stringify({ classes: ['one', 'two', 'three'], templates: ['a {}.'] }));
  const { code, stdout } = await run('imagenet', '-i', 'ILSVRC2012_devkit_t12', '--images', 'val');
  expect(stdout).toMatch(/val\/labels\.csv has 3 rows of 3 images/);
  expect(code).toBe(0);
  const { images, labels } = await readLabelledSet(join(folder, 'val'));
  expect([...labels]).toEqual([1, 2, 0]);
  expect(images[0]).toBe(join(folder, 'val/ILSVRC2012_val_00000001.JPEG'));
  put('ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt', '3\n4\n');
  const input = join(folder, 'ILSVRC2012_devkit_t12');
  await expect(prepare({ set: 'imagenet', input, images: join(folder, 'val') })).rejects.toThrow(
    /ground_truth\.txt, line 2: expected the id of a class from 1 to 3, found '4'/,
  );
});

describe('SBU captions', () => {
  test('from tars as img2dataset writes them', async () => {
    for (const shard of ['00000', '00001']) {
      for (const i of [0, 1, 2]) put(`${shard}/${shard}000${i}.jpg`, `image ${shard} ${i}`);
      put(`${shard}/${shard}0000.txt`, `a caption,\nof ${shard}\n`);
      put(`${shard}/${shard}0001.json`, JSON.stringify({ caption: 'from json' }));
      const gzip = shard === '00001';
      const file = join(folder, 'tars', `${shard}.tar${gzip ? '.gz' : ''}`);
      mkdirSync(dirname(file), { recursive: true });
      await create({ cwd: join(folder, shard), file, gzip }, readdirSync(join(folder, shard)));
    }
    const { code, stdout, stderr } = await run('sbucaptions', '-i', 'tars', '-o', 'sbu');
    expect(stdout).toMatch(/sbu\/train\.csv has 4 rows of 4 images/);
    expect(stderr).toBe('2 images without a caption are left out.\n');
    expect(code).toBe(0);
    const table = await readPairs(join(folder, 'sbu', 'train.csv'));
    expect([0, 1].map((i) => table.caption(i))).toEqual(['a caption, of 00000', 'from json']);
    expect(readFileSync(table.image(3), 'utf8')).toBe('image 00001 1');
    const again = await run('sbucaptions', '-i', 'tars', '-o', 'sbu');
    expect(again.stderr).toMatch(/'sbu' is there already and is not written over/);
  });

  test("from the authors' lists becomes a tsv to download", async () => {
    put('in/dataset/SBU_captioned_photo_dataset_urls.txt', 'http://a/1.jpg\nhttp://a/2.jpg\n');
    put('in/dataset/SBU_captioned_photo_dataset_captions.txt', 'One "cat"\nTwo\tdogs\n');
    const file = join(folder, 'SBUCaptionedPhotoDataset.tar.gz');
    await create({ cwd: join(folder, 'in'), file, gzip: true }, ['dataset']);
    const { output, rows } = await prepare({ set: 'sbucaptions', input: file, output: join(folder, 'out') });
    expect(rows).toBe(2);
    expect(readFileSync(output, 'utf8')).toBe('One "cat"\thttp://a/1.jpg\nTwo dogs\thttp://a/2.jpg\n');
  });

  const entry = (path: string, type: 'File' | 'SymbolicLink' = 'File', linkpath?: string): Buffer => {
    const header = new Header({ path, type, size: type === 'File' ? 5 : 0, mode: 0o644, linkpath });
    const block = Buffer.alloc(512);
    header.encode(block, 0);
    return Buffer.concat([block, type === 'File' ? Buffer.from('hello'.padEnd(512, '\0')) : Buffer.alloc(0)]);
  };
  const end = Buffer.alloc(1024);

  test.each([
    ['a path that leads out', Buffer.concat([entry('../evil.jpg'), end]), /'\.\.\/evil\.jpg' in it leads out/],
    ['an absolute path', Buffer.concat([entry('/tmp/evil.jpg'), end]), /leads out of the folder/],
    ['a link', Buffer.concat([entry('a.jpg', 'SymbolicLink', '/etc/passwd'), end]), /is no plain file/],
    ['an end in the middle', entry('a.jpg').subarray(0, 700), /is no tar, or is damaged/],
    ['other content', Buffer.alloc(2048, 'text'), /is no tar, or is damaged/],
    ['a torn gzip', gzipSync(Buffer.concat([entry('a.jpg'), end])).subarray(0, 60), /is no tar, or is damaged/],
    ['no pair', Buffer.concat([entry('a.jpg'), end]), /has no image with a caption/],
  ])('a tar with %s is refused, and nothing is written', async (_, bytes, message) => {
    const input = put('bad.tar', bytes);
    const options = { set: 'sbucaptions', input, output: join(folder, 'out') } as PrepareOptions;
    await expect(runPrepare(options)).rejects.toThrow(message);
    expect(readdirSync(folder)).toEqual(['bad.tar']);
  });
});

test('relocate gives the images another folder and keeps the other columns', async () => {
  const input = put('old.csv', 'image,caption,is_backdoor\nimages/1.jpg,"a, b",0\n/data/cc3m/images/2.jpg,c,1\n');
  for (const name of ['1.jpg', '2.jpg']) put(`new/${name}`);
  const images = join(folder, 'new');
  const output = join(folder, 'new.csv');
  expect(await prepare({ set: 'relocate', input, images, output })).toMatchObject({ rows: 2, images: 2, missing: 0 });
  expect(readFileSync(output, 'utf8')).toBe('image,caption,is_backdoor\nnew/1.jpg,"a, b",0\nnew/2.jpg,c,1\n');
  await expect(prepare({ set: 'relocate', input, images, output, from: 'images' })).rejects.toThrow(
    /old\.csv, line 3: '\/data\/cc3m\/images\/2\.jpg' is not below the folder 'images' of --from/,
  );
  await expect(prepare({ set: 'relocate', input, images: folder, output })).rejects.toThrow(/2 images .* not there/);
});

test.each([
  [{ set: 'flickr30k', input: 'x', output: 'y' }, /prepare flickr30k needs --images, the folder of the images/],
  [{ set: 'mscoco', input: 'x', images: 'y' }, /prepare mscoco needs --output, the csv to write/],
  [{ set: 'sbucaptions', input: 'x', images: 'y', output: 'z' }, /prepare sbucaptions takes no --images/],
  [{ set: 'imagenet', input: 'x', images: 'y', from: 'z' }, /--from is for prepare relocate/],
  [{ set: 'relocate', images: 'y', output: 'z' }, /prepare needs input; see cleanclip prepare --help/],
  [{ set: 'cifar' as 'imagenet', input: 'x' }, /--set must be one of flickr30k, .*, relocate, but is 'cifar'/],
] as const)('refuses %p before it starts', async (options, message) => {
  await expect(prepare(options)).rejects.toThrow(message);
});

test('a missing file is named in one sentence', async () => {
  const { code, stderr } = await run('mscoco', '-i', 'absent.json', '--images', 'y', '-o', 'z');
  expect(stderr).toBe(
    "cleanclip prepare: Expected captions as JSON or csv in 'absent.json', but there is no such file.\n",
  );
  expect(code).toBe(1);
  expect(existsSync(join(folder, 'z'))).toBe(false);
});
