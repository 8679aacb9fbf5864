import { join } from 'node:path';

import sharp from 'sharp';

import { operationNames } from '../../src/augment/autoaugment';
import { PairLoader, type PairLoaderOptions } from '../../src/data/loader';
import { type PairTable, readPairs } from '../../src/data/pairs';
import { type Picture, pixelsOn } from '../../src/data/pictures';
import { torch } from '../../src/torch';
import { scene } from '../support/images';
import { temporaryFolder } from './temporary';

const ROWS = 40;
const BROKEN = 7;
const NARROW = 11; // so narrow that nothing is left of it where the long side is resized to 24

let table: PairTable;
let folder: string;

beforeAll(async () => {
  torch.setNumThreads(1);
  const files: Record<string, string | Buffer> = {};
  const lines = ['image,caption'];
  for (let row = 0; row < ROWS; row++) {
    const [height, width] = row === NARROW ? [1, 200] : [20 + (row % 5), 20 + (row % 7)];
    const data = scene(height, width, row).permute([1, 2, 0]).contiguous().data() as Uint8Array;
    const png = await sharp(data, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer();
    files[`${row}.png`] = row === BROKEN ? 'not an image' : png;
    lines.push(`${row}.png,a small photo of the big dog number ${row}`);
  }
  folder = temporaryFolder({ ...files, 'train.csv': lines.join('\n') });
  table = await readPairs(join(folder, 'train.csv'));
});

/** All batches of two epochs, and the rows that are left out. */
async function read(more: Partial<PairLoaderOptions>): Promise<unknown> {
  const bad: string[] = [];
  const loader = new PairLoader(table, {
    ...{ batchSize: 16, size: 24, contextLength: 16, inmodal: true, dropLast: false, seed: 3 },
    ...more,
    onBadRow: ({ row, reason }) => bad.push(`${row} ${reason}`),
  });
  const batches: unknown[] = [];
  for (const epoch of [1, 2]) {
    for await (const { dispose, index, rows, isBackdoor, ...tensors } of loader.epoch(epoch)) {
      const values = Object.entries(tensors).map(([name, tensor]) => [name, tensor.shape, String(tensor.data())]);
      batches.push({
        index,
        rows: [...rows],
        isBackdoor,
        ...Object.fromEntries(values.map(([name, ...v]) => [name, v])),
      });
      dispose();
    }
  }
  await loader.close();
  return { batches, bad };
}

describe.each([{}, { inmodal: false }, { geometry: { resizeMode: 'longest', interpolation: 'bilinear' } }] as const)(
  '%j',
  (kind) => {
    test('pixels made on a device are those of the threads, bad rows too', async () => {
      const expected = await read(kind);
      expect(expected).toMatchObject({ bad: { length: 'geometry' in kind ? 2 : 1 } });
      for (const more of [{ numWorkers: 0, cacheBytes: 0 }, { numWorkers: 2 }])
        expect(await read({ ...kind, ...more, device: 'cpu' })).toEqual(expected);
    });
  },
);

test('nothing waits for the device', () => {
  // What makes the CPU wait for a GPU: reading a value, and results whose size depends on values.
  const waits = /^aten::(_local_scalar_dense|item|is_nonzero|nonzero|masked_select|_unique2?|equal|bincount)$/;
  const pictures = operationNames.map((name): Picture => ({
    image: scene(30, 40),
    steps: [[name, name === 'Posterize' ? 4 : 0.4]],
  }));
  const geometry = { resizeMode: 'shortest' } as const;
  const operators = torch.profile(() => pixelsOn('cpu', pictures, { size: 24, geometry, inmodal: true }));
  expect(operators.map(({ name }) => name)).toContain('aten::scatter_add_');
  expect(operators.filter(({ name }) => waits.test(name))).toEqual([]);
});

test('the image cache keeps whole images, which a later run reads', async () => {
  const cached = { device: 'cpu', inmodal: false, imageCache: join(folder, 'cache') };
  const expected = await read({ inmodal: false });
  expect(await read(cached)).toEqual(expected);
  expect(await read(cached)).toEqual(expected);
});

test.each([0, 2])('leaving an epoch frees the pictures (workers: %i)', async (numWorkers) => {
  const loader = new PairLoader(table, { batchSize: 4, size: 24, device: 'cpu', inmodal: true, numWorkers });
  const leave = async (): Promise<void> => {
    for await (const batch of loader.epoch(1)) {
      batch.dispose();
      break;
    }
  };
  await leave(); // makes filters, which stay
  const before = torch.memory().tensors;
  await leave();
  await loader.close();
  // Fewer when tensors from before were collected meanwhile.
  expect(torch.memory().tensors).toBeLessThanOrEqual(before);
});
