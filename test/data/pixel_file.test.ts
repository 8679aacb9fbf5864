import fs, {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

import sharp from 'sharp';

import { PairLoader } from '../../src/data/loader';
import { type PairTable, readPairs } from '../../src/data/pairs';
import { PixelFile, type SharedPixelFile } from '../../src/data/pixel_file';
import { type Geometry, geometryName } from '../../src/images/preprocess_config';
import { type Tensor, torch } from '../../src/torch';
import { start } from '../support/command';

let folder: string;
let table: PairTable;
let cache: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cleanclip-pixels-'));
  for (let i = 0; i < 6; i++) {
    const noise = Buffer.from(Array.from({ length: 12 * 10 * 3 }, (_, k) => (k * (i + 3) * 37) % 251));
    await sharp(noise, { raw: { width: 12, height: 10, channels: 3 } })
      .png()
      .toFile(join(folder, `${i}.png`));
  }
  writeFileSync(
    join(folder, 'pairs.csv'),
    ['image,caption', ...[0, 1, 2, 3, 4, 5].map((i) => `${i}.png,number ${i}`)].join('\n'),
  );
  table = await readPairs(join(folder, 'pairs.csv'));
});
beforeEach(() => {
  cache = mkdtempSync(join(folder, 'cache-'));
});
afterEach(() => jest.restoreAllMocks());
afterAll(() => rmSync(folder, { recursive: true }));

interface Seen {
  /** of each image, and of its augmented view */
  pixels: unknown[];
  warnings: string[];
}

interface Epoch {
  size?: number;
  inmodal?: boolean;
  pairs?: PairTable;
  geometry?: Geometry;
}

/** An epoch of the pairs, whose images are all good. */
async function epoch(
  numWorkers: number,
  { size = 16, inmodal = false, pairs = table, geometry = {} }: Epoch = {},
): Promise<Seen> {
  const seen: Seen = { pixels: [], warnings: [] };
  const onWarning = (warning: string): number => seen.warnings.push(warning);
  const loader = new PairLoader(pairs, {
    batchSize: 3,
    size,
    numWorkers,
    inmodal,
    geometry,
    shuffle: false,
    strict: true,
    imageCache: cache,
    onWarning,
  });
  for await (const batch of loader.epoch(1)) {
    seen.pixels.push(
      ...(batch.pixels.toArray() as unknown[]),
      ...((batch.augmentedPixels?.toArray() ?? []) as unknown[]),
    );
    batch.dispose();
  }
  await loader.close();
  return seen;
}

const image = (): Tensor =>
  torch.tidy(() =>
    torch
      .arange(3 * 5 * 7)
      .to('uint8')
      .view([5, 7, 3])
      .permute([2, 0, 1]),
  );

/** A file of the cache with slots for 8×8 pixels. */
function open(pairs = table): { pixels: PixelFile; shared: SharedPixelFile } {
  const shared = PixelFile.nameFile(cache, pairs.shared, 8, 'whole');
  return { shared, pixels: new PixelFile(shared) };
}

test('keeps images of another geometry in another file', async () => {
  const { shared } = table;
  const geometries: Geometry[] = [
    {},
    { interpolation: 'bilinear' },
    { resizeMode: 'squash' },
    { resizeMode: 'longest' },
    { resizeMode: 'longest', fillColor: 9 },
    { cropRounding: 'down' },
  ];
  const paths = geometries.map((geometry) => PixelFile.nameFile(cache, shared, 16, geometryName(geometry)).path);
  expect(new Set(paths).size).toBe(geometries.length);
  expect(paths[0]).toBe(PixelFile.nameFile(cache, shared, 16, 'cropped').path); // as before there were others
  const seen = [];
  for (const geometry of [...geometries, ...geometries]) seen.push((await epoch(0, { geometry })).pixels);
  expect(seen.slice(geometries.length)).toEqual(seen.slice(0, geometries.length));
  expect(new Set(seen.map((pixels) => JSON.stringify(pixels))).size).toBe(geometries.length);
});

test.each([0, 2])('gives the images of another run by the file alone, with %i threads', async (numWorkers) => {
  const first = await epoch(numWorkers);
  for (const i of [0, 1, 2]) utimesSync(join(folder, `${i}.png`), new Date(2020, 1, 1), new Date(2020, 1, 1));
  expect(await epoch(numWorkers)).toEqual(first); // those with another time are decoded, and kept anew
  const [file] = readdirSync(cache);
  const before = statSync(join(cache, file)).mtimeMs;
  expect(await epoch(numWorkers)).toEqual(first);
  expect(await epoch(numWorkers, { pairs: table.select([4, 2, 0, 5, 3, 1]) })).toEqual({
    pixels: [4, 2, 0, 5, 3, 1].map((i) => first.pixels[i]),
    warnings: [],
  });
  expect(statSync(join(cache, file)).mtimeMs).toBe(before); // what is found is not written again
  expect(readdirSync(cache)).toEqual([file]);
});

test('is written by two processes at once without harm to either', async () => {
  const program = `
    const { PairLoader } = require('./data/loader');
    const { readPairs } = require('./data/pairs');
    readPairs(process.argv[1]).then(async (pairs) => {
      for (let run = 0; run < 3; run++) {
        const cached = { numWorkers: 1, strict: true, imageCache: process.argv[2] };
        const loader = new PairLoader(pairs, { batchSize: 2, size: 16, shuffle: false, ...cached });
        const pixels = [];
        for await (const batch of loader.epoch(1)) pixels.push(...batch.pixels.toArray());
        await loader.close();
        console.log(JSON.stringify(pixels));
      }
    });`;
  const expected = JSON.stringify((await epoch(0)).pixels);
  rmSync(cache, { recursive: true });
  const both = [1, 2].map(
    () =>
      start(process.execPath, ['-e', program, join(folder, 'pairs.csv'), cache], join(__dirname, '../../dist')).ended,
  );
  for (const { code, stdout, stderr } of await Promise.all(both)) {
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.trim().split('\n')).toEqual(Array(3).fill(expected));
  }
  expect(readdirSync(cache)).toHaveLength(1);
  expect((await epoch(0)).pixels).toEqual(JSON.parse(expected));
}, 120_000);

test('serves augmented views too, from the whole image', async () => {
  const first = await epoch(1, { inmodal: true });
  expect(await epoch(1, { inmodal: true })).toEqual(first);
  expect(await epoch(1)).not.toEqual(first);
  expect(readdirSync(cache)).toHaveLength(2); // whole images and cropped ones
});

test('decodes an image again that was changed or replaced, or whose slot was damaged', () => {
  const path = join(folder, 'changing.png');
  const { pixels, shared } = open();
  const replace = (by: string): void => {
    const changed = (): number | undefined => statSync(path, { throwIfNoEntry: false })?.ctimeMs;
    const before = changed();
    do {
      copyFileSync(join(folder, by), path);
      utimesSync(path, 0, 0); // as archives and rsync do
    } while (changed() === before); // the file system's clock ticks every few milliseconds
  };
  const keep = (): void => pixels.find(0, path).keep!(image());
  replace('0.png');
  keep();
  const { image: found } = pixels.find(0, path);
  expect(found!.toArray()).toEqual(image().toArray());
  expect(found!.strides).toEqual(image().strides);

  replace('0.png'); // of the same size and time
  expect(pixels.find(0, path).image).toBeUndefined();
  const { keep: late } = pixels.find(0, path);
  replace('1.png');
  late!(image()); // decoded before it was replaced
  expect(pixels.find(0, path).image).toBeUndefined();
  expect(pixels.find(0, join(folder, 'none.png'))).toEqual({});

  keep();
  const bytes = readFileSync(shared.path);
  bytes[50] ^= 1;
  writeFileSync(shared.path, bytes);
  expect(pixels.find(0, path).image).toBeUndefined();
  keep();
  expect(pixels.find(0, path).image).toBeDefined();
  writeFileSync(shared.path, readFileSync(shared.path).subarray(0, 100));
  expect(new PixelFile(shared).find(0, path).image).toBeUndefined();
  pixels.close();
});

test('takes neither a slot that was never written nor one of an earlier form for an image', () => {
  const path = join(folder, '0.png');
  utimesSync(path, 0, 0);
  const { pixels, shared } = open();
  pixels.find(5, path).keep!(image());
  expect(pixels.find(0, path)).toEqual({ keep: expect.any(Function) });

  // earlier: float64 time, uint32 height, width, CRC-32, then the pixels
  const bytes = image().permute([1, 2, 0]).contiguous().bytes();
  const head = Buffer.alloc(24);
  [5, 7, crc32(bytes)].forEach((value, i) => head.writeUInt32LE(value, 8 + 4 * i));
  writeFileSync(shared.path, Buffer.concat([head, bytes, Buffer.alloc(4096)]));
  const { image: none, keep } = pixels.find(0, path);
  expect(none).toBeUndefined();
  keep!(image());
  expect(pixels.find(0, path).image!.toArray()).toEqual(image().toArray());
  pixels.close();
});

test('has a file for each set of pairs: their text, order and folder make it, selections share it', async () => {
  const name = (pairs: PairTable): string => PixelFile.nameFile(cache, pairs.shared, 8, 'whole').path;
  writeFileSync(join(folder, 'others.csv'), 'image,caption\n0.png,another');
  expect(name(await readPairs(join(folder, 'pairs.csv')))).toBe(name(table));
  expect(name(await readPairs(join(folder, 'others.csv')))).not.toBe(name(table));
  const path = join(folder, '3.png');
  open().pixels.find(3, path).keep!(image());
  const { pixels } = open(table.select([5, 3]));
  expect(pixels.find(1, path).image!.toArray()).toEqual(image().toArray());
  expect(pixels.find(0, path).image).toBeUndefined();
});

test('does not keep what is larger than a slot, and says which folder cannot be used', () => {
  const path = join(folder, '0.png');
  const { pixels } = open();
  pixels.find(0, path).keep!(torch.zeros([3, 100, 100], { dtype: 'uint8' }));
  expect(pixels.find(0, path).image).toBeUndefined();
  pixels.close();
  expect(() => PixelFile.nameFile(join(path, 'sub'), table.shared, 4, 'whole')).toThrow(
    /--image_cache cannot be made \(ENOTDIR\)/,
  );
});

test.each([0, 2])('goes on when the disk is full, and says so once, with %i threads', async (numWorkers) => {
  const { pixels } = await epoch(numWorkers);
  const [file] = readdirSync(cache);
  rmSync(join(cache, file));
  symlinkSync('/dev/full', join(cache, file)); // reads as zeros, and takes nothing
  expect(await epoch(numWorkers)).toEqual({
    pixels,
    warnings: [expect.stringMatching(/cache '.*' takes no more images, because its disk is full/)],
  });
});

test('warns of a disk that is too small, and leaves the last twentieth of it to others', async () => {
  const disk = { bavail: 15, blocks: 200, bsize: 1e5 } as fs.StatsFs; // 1.5 MB of 20 MB
  const statfs = jest.spyOn(fs, 'statfsSync').mockReturnValue(disk);
  const { warnings } = await epoch(0, { size: 200 });
  expect(warnings).toEqual([expect.stringMatching(/may grow by 0\.7 MB, but its disk has room for 0\.5 MB/)]);
  statfs.mockReturnValue({ ...disk, bavail: 20 });
  expect((await epoch(0, { size: 200 })).warnings).toEqual([]);
  statfs.mockReturnValue({ ...disk, bavail: 9 });
  expect((await epoch(0)).warnings).toEqual([
    expect.stringContaining('may grow'),
    expect.stringContaining('takes no more'),
  ]);
  expect(
    readdirSync(cache)
      .map((name) => statSync(join(cache, name)).size)
      .sort()[0],
  ).toBe(0);
});
