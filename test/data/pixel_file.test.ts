import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';

import { PairLoader } from '../../src/data/loader';
import { readPairs, type PairTable } from '../../src/data/pairs';
import { PixelFile } from '../../src/data/pixel_file';
import { torch, type Tensor } from '../../src/torch';

let folder: string;
let table: PairTable;
let cache: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cleanclip-pixels-'));
  for (let i = 0; i < 6; i++) {
    const noise = Buffer.from(Array.from({ length: 12 * 10 * 3 }, (_, k) => (k * (i + 3) * 37) % 251));
    await sharp(noise, { raw: { width: 12, height: 10, channels: 3 } }).png().toFile(join(folder, `${i}.png`));
  }
  writeFileSync(join(folder, 'pairs.csv'), ['image,caption', ...[0, 1, 2, 3, 4, 5].map((i) => `${i}.png,number ${i}`)].join('\n'));
  table = await readPairs(join(folder, 'pairs.csv'));
});
beforeEach(() => {
  cache = mkdtempSync(join(folder, 'cache-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The pixels of an epoch. */
async function epoch(numWorkers: number, { size = 16, inmodal = false } = {}): Promise<unknown[]> {
  const loader = new PairLoader(table, { batchSize: 3, size, numWorkers, inmodal, shuffle: false, imageCache: cache });
  const seen: unknown[] = [];
  for await (const batch of loader.epoch(1)) {
    seen.push(batch.pixels.toArray(), batch.augmentedPixels?.toArray());
    batch.dispose();
  }
  await loader.close();
  return seen;
}

const image = (): Tensor => torch.tidy(() => torch.arange(3 * 5 * 7).to('uint8').view([5, 7, 3]).permute([2, 0, 1]));

it.each([0, 2])('gives the images of another run by the file alone, with %i threads', async (numWorkers) => {
  const first = await epoch(numWorkers);
  for (const i of [0, 1, 2]) utimesSync(join(folder, `${i}.png`), new Date(2020, 1, 1), new Date(2020, 1, 1));
  expect(await epoch(numWorkers)).toEqual(first); // those with another time are decoded, and kept anew
  const [file] = readdirSync(cache);
  const before = readFileSync(join(cache, file));
  expect(await epoch(numWorkers)).toEqual(first);
  expect(readFileSync(join(cache, file)).equals(before)).toBe(true);
  expect(readdirSync(cache)).toHaveLength(1);
});

it('serves augmented views too, from the whole image', async () => {
  const first = await epoch(1, { inmodal: true });
  expect(await epoch(1, { inmodal: true })).toEqual(first);
  expect(await epoch(1)).not.toEqual(first);
  expect(readdirSync(cache)).toHaveLength(2); // whole images and cropped ones
});

it('decodes an image again that was changed, or whose slot was damaged', () => {
  const path = join(folder, '0.png');
  const named = PixelFile.nameFile(cache, table.shared, 8, 'whole');
  const pixels = new PixelFile(named);
  expect(pixels.get(0, path)).toBeUndefined();
  pixels.put(0, image(), path);
  expect(pixels.get(0, path)!.toArray()).toEqual(image().toArray());
  expect(pixels.get(0, path)!.strides).toEqual(image().strides);

  copyFileSync(path, join(folder, 'copy.png'));
  utimesSync(join(folder, 'copy.png'), new Date(2021, 1, 1), new Date(2021, 1, 1));
  expect(pixels.get(0, join(folder, 'copy.png'))).toBeUndefined();
  expect(pixels.get(0, join(folder, 'none.png'))).toBeUndefined();

  const bytes = readFileSync(named.path);
  bytes[30] ^= 1;
  writeFileSync(named.path, bytes);
  expect(pixels.get(0, path)).toBeUndefined();
  writeFileSync(named.path, readFileSync(named.path).subarray(0, 100));
  expect(pixels.get(0, path)).toBeUndefined();
  pixels.close();
});

it('has a file for each set of pairs, which their text, order and folder make', async () => {
  const name = (of: PairTable): string => PixelFile.nameFile(cache, of.shared, 8, 'whole').path;
  const again = await readPairs(join(folder, 'pairs.csv'));
  writeFileSync(join(folder, 'others.csv'), 'image,caption\n0.png,another');
  const others = [table, table.select([0, 1]), table.select([1, 0]), await readPairs(join(folder, 'others.csv'))];
  expect(name(again)).toBe(name(table));
  expect(new Set(others.map(name)).size).toBe(4);
});

it('does not keep what is larger than a slot, and says which folder cannot be used', () => {
  const path = join(folder, '0.png');
  const pixels = new PixelFile(PixelFile.nameFile(cache, table.shared, 4, 'whole'));
  const big = torch.zeros([3, 100, 100], { dtype: 'uint8' });
  pixels.put(0, big, path);
  expect(pixels.get(0, path)).toBeUndefined();
  pixels.close();
  expect(() => PixelFile.nameFile(join(path, 'sub'), table.shared, 4, 'whole')).toThrow(/--image_cache cannot be made \(ENOTDIR\)/);
});
