import { join } from 'node:path';

import sharp from 'sharp';

import { ImageLoader, labelledBatches } from '../../src/data/image_loader';
import { torch } from '../../src/torch';
import { temporaryFolder } from './temporary';

const grey = (level: number): Promise<Buffer> =>
  sharp({ create: { width: 9, height: 9, channels: 3, background: { r: level, g: level, b: level } } })
    .png()
    .toBuffer();

test.each([0, 1])('all images come in order, bad ones are left out (workers: %i)', async (numWorkers) => {
  const files: Record<string, Buffer> = {};
  for (let i = 0; i < 25; i++) files[`${i}.png`] = i === 11 ? Buffer.from('broken') : await grey(10 * i);
  const folder = temporaryFolder(files);
  const paths = Array.from({ length: 25 }, (_, i) => join(folder, `${i}.png`));
  const before = torch.memory().tensors;
  const indices: number[] = [];
  const levels: number[] = [];
  const bad: number[] = [];
  for await (const batch of labelledBatches(paths, {
    batchSize: 10,
    size: 4,
    numWorkers,
    onBadRow: ({ row }) => bad.push(row),
  })) {
    expect(batch.pixels.shape).toEqual([batch.indices.length, 3, 4, 4]);
    indices.push(...batch.indices);
    levels.push(...torch.tidy(() => batch.pixels.select(1, 0).select(1, 0).select(1, 0).data() as Uint8Array));
    batch.dispose();
  }
  const expected = paths.map((_, i) => i).filter((i) => i !== 11);
  expect(indices).toEqual(expected);
  expect(levels).toEqual(expected.map((i) => 10 * i));
  expect(bad).toEqual([11]);
  expect(torch.memory().tensors).toBe(before);
});

test('strict throws, and leaving the loop ends the threads', async () => {
  const folder = temporaryFolder({ '0.png': await grey(1), '1.png': 'broken' });
  const paths = ['0.png', '1.png'].map((name) => join(folder, name));
  const strict = (async () => {
    for await (const { dispose } of labelledBatches(paths, { batchSize: 1, size: 4, strict: true, numWorkers: 1 }))
      dispose();
  })();
  await expect(strict).rejects.toThrow(/Row 2 cannot be used/);
  for await (const { dispose } of labelledBatches(paths, { batchSize: 1, size: 4, numWorkers: 1 })) {
    dispose();
    break;
  }
});

test(
  'a loader of several epochs gives each its own order, the same for the same seed, with the threads it began ' +
    'with',
  async () => {
    const files = Object.fromEntries(
      await Promise.all(Array.from({ length: 10 }, async (_, i) => [`${i}.png`, await grey(i)] as const)),
    );
    const folder = temporaryFolder(files);
    const paths = Object.keys(files).map((name) => join(folder, name));
    const loader = new ImageLoader(paths, { batchSize: 4, size: 4, numWorkers: 1, shuffle: true, seed: 5 });
    const order = async (epoch: number, startBatch = 0): Promise<number[]> => {
      const seen: number[] = [];
      for await (const { index, indices, pixels, dispose } of loader.epoch(epoch, { startBatch })) {
        expect(index).toBe(startBatch + Math.floor(seen.length / 4));
        expect(
          torch.tidy(() => Array.from(pixels.select(1, 0).select(1, 0).select(1, 0).data() as Uint8Array)),
        ).toEqual([...indices]);
        seen.push(...indices);
        dispose();
      }
      return seen;
    };
    expect(loader.batches).toBe(3);
    const first = await order(1);
    expect([...first].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(await order(2)).not.toEqual(first);
    expect(await order(1)).toEqual(first);
    expect(await order(1, 1)).toEqual(first.slice(4));
    await loader.close();
  },
);
