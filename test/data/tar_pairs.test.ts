import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { PairLoader } from '../../src/data/loader';
import { badRowWarnings, type PairTable, readPairs } from '../../src/data/pairs';
import { type TarFile, writeTar } from '../../src/data/shard_writer';
import { decodeImage } from '../../src/images/image';
import { parseMember } from '../../src/images/members';
import { drawShapes } from '../support/pairs';
import { shardsOf } from '../support/shards';
import { temporaryFolder } from './temporary';

let folder: string;
let csv: string;
let shards: string;
let png: Buffer;
beforeAll(async () => {
  folder = await drawShapes(3); // 36 pairs
  csv = join(folder, 'train.csv');
  shards = await shardsOf(csv, 10);
  png = readFileSync(join(folder, 'images/0_0.png'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Writes a tar in a new folder. */
async function tarOf(files: TarFile[], name = 'a.tar'): Promise<string> {
  const file = join(temporaryFolder(), name);
  await writeTar(file, files);
  return file;
}
const sample = (key: string, caption = `caption ${key}`): TarFile[] => [
  { path: `${key}.png`, content: png },
  { path: `${key}.txt`, content: caption },
];
const captions = (table: PairTable): string[] => Array.from({ length: table.length }, (_, i) => table.caption(i));
const warnings = (table: PairTable): string[] => badRowWarnings(table.badRows, 'set');
const refused = async (file: string): Promise<string> =>
  readPairs(file).then(
    () => 'it was read',
    ({ message }: Error) => message,
  );

interface Step {
  rows: number[];
  ids: string;
  pixels: string;
}

/** The batches of an epoch. */
async function batches(table: PairTable, more: object = {}, startBatch = 0): Promise<Step[]> {
  const loader = new PairLoader(table, { batchSize: 8, size: 16, seed: 5, inmodal: true, ...more });
  const steps: Step[] = [];
  for await (const batch of loader.epoch(2, { startBatch })) {
    const [ids, pixels] = [batch.augmentedIds!, batch.augmentedPixels!].map((tensor) =>
      Buffer.from(tensor.bytes()).toString('base64'),
    );
    steps.push({ rows: [...batch.rows], ids, pixels });
    batch.dispose();
  }
  await loader.close();
  return steps;
}

describe('shards hold the pairs of a csv', () => {
  test('in the same order, with the same augmentations, from any batch on', async () => {
    const [listed, sharded] = [await readPairs(csv), await readPairs(shards)];
    expect(captions(sharded)).toEqual(captions(listed));
    const expected = await batches(listed);
    expect(await batches(sharded)).toEqual(expected);
    expect(await batches(sharded, { numWorkers: 2 })).toEqual(expected);
    expect(await batches(sharded, {}, 2)).toEqual(expected.slice(2));
    expect(await batches(sharded, { imageCache: join(folder, 'cache') })).toEqual(expected);
    expect(await batches(sharded, { imageCache: join(folder, 'cache') })).toEqual(expected);
  });

  test.each([1, 2, 4])('of which %d ranks read each once', async (worldSize) => {
    const table = await readPairs(shards);
    const seen: number[] = [];
    for (let rank = 0; rank < worldSize; rank++) {
      const steps = await batches(table, { shard: { rank, worldSize }, dropLast: false, inmodal: true });
      seen.push(...steps.flatMap(({ rows }) => rows));
    }
    expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 36 }, (_, i) => i));
  });

  test('and a csv can name an image in a shard', async () => {
    const table = await readPairs(shards);
    const field = table.imageField(11);
    expect(field).toMatch(/^00001\.tar#tar=\d+\+\d+&check=[0-9a-f]{8}&name=000011\.png$/);
    writeFileSync(join(folder, 'shards/some.csv'), `image,caption\n${field},one\n`);
    const [own, listed] = [table.image(11), (await readPairs(join(folder, 'shards/some.csv'))).image(0)];
    expect(listed).toBe(own);
    const decoded = await Promise.all([own, join(folder, 'images/3_2.png')].map((path) => decodeImage(path)));
    expect(decoded[0].toArray()).toEqual(decoded[1].toArray());
  });
});

describe('the name of a set', () => {
  test('has braces, stars, and :: between sets', async () => {
    const [here, there] = [await tarOf([...sample('x1'), ...sample('x2')]), await tarOf(sample('y'), 'b.tar')];
    expect(captions(await readPairs(`${there}::${here}`))).toEqual(['caption y', 'caption x1', 'caption x2']);
    const star = join(folder, 'shards', '*.tar');
    expect(captions(await readPairs(star))).toEqual(captions(await readPairs(shards)));
    const braces = join(folder, 'shards/0000{1,0}.tar');
    expect((await readPairs(braces)).caption(10)).toBe((await readPairs(csv)).caption(0));
    expect((await readPairs(`${there}::${here}`)).image(1)).toMatch(/a\.tar#tar=512\+\d+&check=.*&name=x1\.png$/);
  });

  test('is refused where it leads to no plain tars', async () => {
    expect(await refused('s/{0..9}.tar.gz')).toMatch(/'s\/0\.tar\.gz' is a compressed tar.*unpack it/);
    expect(await refused('https://x.org/{0..9}.tar')).toMatch(/nothing is downloaded/);
    expect(await refused(`${shards}::a.csv`)).toMatch(/Only \.tar and \.parquet files can be joined, but 'a\.csv'/);
    expect(await refused('s/{0..99999999999}.tar')).toMatch(/more than 1000000 files/);
    expect(await refused(join(folder, 'shards/x*.tar'))).toMatch(/No file is called/);
    expect(await refused(join(folder, 'shards/00009.tar'))).toMatch(/Expected a tar in .*there is no such file/);
    expect(await refused(`${folder}/shards::x.tar`)).toMatch(/Only \.tar and \.parquet/);
  });
});

describe('a sample', () => {
  test('has its caption in a text or a json, under any name', async () => {
    const file = await tarOf([
      { path: 'd/1.JPG', content: png },
      { path: 'd/1.txt', content: '\ufeffa text\r\n' },
      { path: '2.json', content: JSON.stringify({ caption: 'a field', title: ['one', 'two'], is_backdoor: 1 }) },
      { path: '2.webp', content: png },
      { path: '2.seg.png', content: Buffer.of(1) },
      { path: 'backdoor_3.png', content: png },
      { path: 'backdoor_3.title', content: 'a title' },
      { path: 'backdoor_3.txt', content: '' },
    ]);
    const table = await readPairs(file);
    expect(captions(table)).toEqual(['a text', 'a field', '']);
    expect([0, 1, 2].map((row) => table.isBackdoor(row))).toEqual([false, true, true]);
    const titles = await readPairs(file, { captionKey: 'title', imageKey: 'image' });
    expect([titles.captions(0), titles.captions(1)]).toEqual([['one', 'two'], ['a title']]);
    expect(warnings(titles)[0]).toMatch(/a\.tar, sample 'd\/1' \(byte 512\): .* it has no caption/);
    const segmented = await readPairs(file, { imageKey: 'seg.png' });
    expect(parseMember(segmented.image(0))).toMatchObject({ name: '2.seg.png', bytes: 1 });
  });

  test('without an image or a caption is left out and named', async () => {
    const file = await tarOf([
      { path: 'no_caption.png', content: png },
      { path: 'no_image.jpgx', content: png },
      { path: 'no_image.txt', content: 'x' },
      { path: 'README', content: 'x' },
      { path: '._mac.png', content: 'x' },
      { path: 'twice.png', content: png },
      { path: 'twice.png', content: png },
      { path: 'latin.png', content: png },
      { path: 'latin.txt', content: Buffer.from('caf\xe9', 'latin1') },
      { path: 'number.png', content: png },
      { path: 'number.json', content: '{"caption": 7}' },
      { path: 'torn.png', content: png },
      { path: 'torn.json', content: '{"caption": ' },
      { path: 'mark.png', content: png },
      { path: 'mark.json', content: '{"caption": "x", "is_backdoor": "perhaps"}' },
      { path: 'empty.png', content: '' },
      { path: 'empty.txt', content: 'x' },
      { path: 'long.png', content: png },
      { path: 'long.txt', content: Buffer.alloc(2 ** 20 + 1, 'x') },
      ...sample('good'),
    ]);
    const table = await readPairs(file);
    expect(captions(table)).toEqual(['caption good']);
    const reasons = warnings(table).map((text) => /sample '(.*)' .*because (.*)\.$/.exec(text)?.slice(1).join(': '));
    expect(reasons).toEqual([
      'no_caption: it has no caption: its files are .png',
      'no_image: it has no image: its files are .jpgx, .txt',
      'twice: it has two files .png',
      'latin: its text is no UTF-8; save it as UTF-8',
      'number: its caption is no text, but of type number',
      'torn: its .json is no JSON object',
      'mark: its is_backdoor is none of 1, 0, true and false',
      'empty: its image is empty',
      'long: its text is longer than 1048576 bytes',
      undefined,
    ]);
    expect(await refused(await tarOf(sample('x').slice(0, 1)))).toMatch(/has no usable row: .*sample 'x'.*no caption/);
    expect(await refused(await tarOf([]))).toMatch(/has no pairs: expected an image and a caption/);
  });

  test('with several captions gets another one by epoch, from the seed alone', async () => {
    const list = ['a red bird', 'a blue car on a road', 'green'];
    const json = { path: '1.json', content: JSON.stringify({ caption: list }) };
    const table = await readPairs(await tarOf([{ path: '1.png', content: png }, json, ...sample('2')]));
    expect([table.captions(0), table.caption(0), table.hasSeveralCaptions]).toEqual([list, list[0], true]);
    const idsBy = async (numWorkers: number): Promise<string[]> => {
      const loader = new PairLoader(table, { batchSize: 2, size: 16, numWorkers, shuffle: false });
      const seen: string[] = [];
      for (let epoch = 0; epoch < 12; epoch++)
        for await (const batch of loader.epoch(epoch)) {
          seen.push(Buffer.from(batch.ids.select(0, 0).contiguous().bytes()).toString('hex'));
          batch.dispose();
        }
      await loader.close();
      return seen;
    };
    const seen = await idsBy(0);
    expect(new Set(seen).size).toBe(3);
    expect(await idsBy(1)).toEqual(seen);
  });
});

describe('a tar', () => {
  test('with folders and links gives its files', async () => {
    const inside = temporaryFolder({ 'in/1.png': png, 'in/1.txt': 'one', 'in/2.txt': 'two' });
    symlinkSync('1.png', join(inside, 'in/2.png'));
    spawnSync('tar', ['-cf', 'x.tar', '--sort=name', 'in'], { cwd: inside });
    const table = await readPairs(join(inside, 'x.tar'));
    expect(captions(table)).toEqual(['one']);
    expect(warnings(table)[0]).toMatch(/sample 'in\/2'.*it has no image: its files are \.txt/);
  });

  test.each(['gnu', 'pax', 'ustar', 'v7'])('in the format %s is read, long names too', async (format) => {
    const name = format === 'v7' ? 'x'.repeat(90) : `${'d'.repeat(90)}/${'x'.repeat(60)}`;
    const inside = temporaryFolder({ [`${name}.png`]: png, [`${name}.txt`]: 'long' });
    spawnSync('tar', ['-cf', 'x.tar', `--format=${format}`, `${name}.png`, `${name}.txt`], { cwd: inside });
    const table = await readPairs(join(inside, 'x.tar'));
    expect(captions(table)).toEqual(['long']);
    expect((await decodeImage(table.image(0))).shape).toEqual([3, 40, 40]);
  });

  test('that is torn gives the samples before, and names the place', async () => {
    const file = await tarOf([...sample('1'), ...sample('2'), ...sample('3')]);
    const table = await readPairs(file);
    const { offset, bytes } = parseMember(table.image(1))!;
    truncateSync(file, offset + bytes - 10);
    const torn = await readPairs(file);
    expect(captions(torn)).toEqual(['caption 1']);
    expect(warnings(torn)).toEqual([
      `${file} (byte ${offset - 512}): the row is left out because the tar ends within '2.png', so the rest of this ` +
        'shard is lost; make or download it again.',
      '1 row of set is left out.',
    ]);
    truncateSync(file, offset - 200);
    expect(warnings(await readPairs(file))[0]).toMatch(/because the tar ends in a header/);
    const content = readFileSync(await tarOf([...sample('1'), ...sample('2')]));
    content[offset - 500] ^= 1;
    writeFileSync(file, content);
    expect(warnings(await readPairs(file))[0]).toMatch(/because a header of the tar is damaged/);
  });

  test('that is compressed, empty or something else is refused', async () => {
    const inside = temporaryFolder({
      'gz.tar': gzipSync(png),
      'empty.tar': '',
      'text.tar': 'image,caption\n'.repeat(99),
    });
    expect(await refused(join(inside, 'gz.tar'))).toMatch(/compressed by gzip.*unpack it with gunzip/);
    expect(await refused(join(inside, 'empty.tar'))).toMatch(/but it is empty/);
    expect(await refused(join(inside, 'text.tar'))).toMatch(/no usable row: .*a header of the tar is damaged/);
    expect(await refused(inside)).toMatch(/a folder/);
  });

  test('that was changed after it was listed is noticed', async () => {
    const file = await tarOf([...sample('1'), ...sample('2')]);
    const address = (await readPairs(file)).image(0);
    await writeTar(file, [...sample('0'), ...sample('1')]);
    await expect(decodeImage(address)).rejects.toThrow(
      `Expected '1.png' of ${file} at byte 512, but something else is there: the file was changed`,
    );
    await writeTar(file, sample('1'));
    expect((await decodeImage(address)).shape).toEqual([3, 40, 40]); // the file was replaced while it was open
    rmSync(file);
    await writeTar(file, []);
    await expect(decodeImage(address)).resolves.toBeDefined(); // the file is still open
  });
});
