import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';

import sharp from 'sharp';

import { type Batch, PairLoader, type PairLoaderOptions } from '../../src/data/loader';
import { type PairTable, readPairs } from '../../src/data/pairs';
import { epochOrder } from '../../src/data/sampler';
import { decodeImage } from '../../src/images/image';
import { resizeCrop } from '../../src/images/preprocess';
import { tokenIds } from '../../src/text/tokenizer';
import { type Tensor, torch } from '../../src/torch';
import { temporaryFolder } from './temporary';

const ROWS = 45;
const SIZE = 12;
const png = (row: number): Promise<Buffer> => {
  const [width, height] = [10 + (row % 5), 10 + (row % 7)];
  const data = Buffer.from(Uint8Array.from({ length: 3 * width * height }, (_, i) => (i * (row + 3)) % 256));
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
};

let folder: string;
let table: PairTable;

/** A table of all rows; the images of `bad` rows are broken. */
async function tableOf(rows: number, bad: readonly number[] = []): Promise<PairTable> {
  const files: Record<string, string | Buffer> = {};
  for (let row = 0; row < rows; row++) files[`images/${row}.png`] = bad.includes(row) ? 'not an image' : await png(row);
  const lines = Array.from(
    { length: rows },
    (_, row) => `images/${row}.png,"a small photo of the big dog, number ${row}",${row % 3 === 0}\n`,
  );
  folder = temporaryFolder({ ...files, 'train.csv': `image,caption,is_backdoor\n${lines.join('')}` });
  return readPairs(join(folder, 'train.csv'));
}

const options = { batchSize: 20, size: SIZE, seed: 5 };

interface Plain {
  index: number;
  rows: number[];
  isBackdoor: boolean[];
  tensors: Record<string, string>;
}

/** A text that is equal for equal tensors. */
const show = ({ dtype, shape }: Pick<Tensor, 'dtype' | 'shape'>, data: ArrayBufferView): string =>
  `${dtype} [${shape.join(', ')}] ${Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64')}`;

function plain(batch: Batch): Plain {
  const { index, rows, isBackdoor, dispose, ...tensors } = batch;
  const result = {
    index,
    rows: [...rows],
    isBackdoor,
    tensors: Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, show(tensor, tensor.data())])),
  };
  dispose();
  return result;
}

async function read(loader: PairLoader, epoch: number, startBatch = 0): Promise<Plain[]> {
  const batches: Plain[] = [];
  for await (const batch of loader.epoch(epoch, { startBatch })) batches.push(plain(batch));
  return batches;
}

async function withLoader<T>(
  table: PairTable,
  more: Partial<PairLoaderOptions>,
  use: (loader: PairLoader) => Promise<T>,
): Promise<T> {
  const loader = new PairLoader(table, { ...options, ...more });
  try {
    return await use(loader);
  } finally {
    await loader.close();
  }
}

let tensorsBefore: number;

beforeAll(async () => {
  table = await tableOf(ROWS);
});

beforeEach(() => {
  tensorsBefore = torch.memory().tensors;
});

afterEach(() => {
  // Fewer when tensors from before were collected meanwhile.
  expect(torch.memory().tensors).toBeLessThanOrEqual(tensorsBefore);
});

test('a batch holds the decoded, resized images and the token ids of the rows of the epoch', async () => {
  const [first, second, ...rest] = await withLoader(table, {}, (loader) => read(loader, 2));
  const order = [...epochOrder(ROWS, { seed: 5, epoch: 2, shuffle: true })];
  expect(rest).toEqual([]);
  expect([...first.rows, ...second.rows]).toEqual(order.slice(0, 40));
  expect(second.isBackdoor).toEqual(order.slice(20, 40).map((row) => row % 3 === 0));
  const pixels: number[] = [];
  for (const row of first.rows) {
    const image = await decodeImage(table.image(row));
    pixels.push(...torch.tidy(() => resizeCrop(image, SIZE).data() as Uint8Array));
    image.dispose();
  }
  expect(first.tensors.pixels).toBe(show({ dtype: 'uint8', shape: [20, 3, SIZE, SIZE] }, Uint8Array.from(pixels)));
  const ids = tokenIds(
    first.rows.map((row) => table.caption(row)),
    77,
  );
  expect(first.tensors.ids).toBe(show({ dtype: 'int64', shape: [20, 77] }, ids));
  expect(Object.keys(first.tensors)).toEqual(['pixels', 'ids']);
});

test('any number of workers, and the cache, give the same batches; epochs differ', async () => {
  const inmodal = { inmodal: true, contextLength: 16, dropLast: false };
  const epochs = (more: Partial<PairLoaderOptions>): Promise<Plain[][]> =>
    withLoader(table, { ...inmodal, ...more }, async (loader) => [
      await read(loader, 1),
      await read(loader, 2),
      await read(loader, 1),
    ]);
  const expected = await epochs({ cacheBytes: 0 });
  expect(expected[0].map(({ rows }) => rows.length)).toEqual([20, 20, 5]);
  expect(Object.keys(expected[0][0].tensors)).toEqual(['pixels', 'ids', 'augmentedPixels', 'augmentedIds']);
  expect(expected[0][0].tensors.augmentedPixels).not.toEqual(expected[0][0].tensors.pixels);
  expect(expected[0][0].tensors.augmentedIds).not.toEqual(expected[0][0].tensors.ids);
  expect(expected[1]).not.toEqual(expected[0]);
  expect(expected[2]).toEqual(expected[0]);
  for (const more of [{}, { numWorkers: 1, cacheBytes: 0 }, { numWorkers: 3 }])
    expect(await epochs(more)).toEqual(expected);
});

test('the augmented views of a row change with the epoch and the seed', async () => {
  const views = (seed: number, epoch: number): Promise<unknown> =>
    withLoader(
      table,
      { inmodal: true, shuffle: false, seed },
      async (loader) => (await read(loader, epoch))[0].tensors.augmentedPixels,
    );
  const first = await views(1, 1);
  expect(await views(1, 1)).toEqual(first);
  expect(await views(1, 2)).not.toEqual(first);
  expect(await views(2, 1)).not.toEqual(first);
});

test('without augmentation the cache keeps resized images of any size', async () => {
  await withLoader(table, { shuffle: false, dropLast: false, numWorkers: 1 }, async (loader) => {
    expect(await read(loader, 1)).toEqual(await read(loader, 2));
  });
});

test('an epoch can be entered in the middle', async () => {
  await withLoader(table, { batchSize: 10 }, async (loader) => {
    const all = await read(loader, 3);
    expect(await read(loader, 3, 2)).toEqual(all.slice(2));
    expect(await read(loader, 3, 4)).toEqual([]);
  });
});

test('a context length of 0 leaves the captions out', async () => {
  const [batch] = await withLoader(table, { contextLength: 0 }, (loader) => read(loader, 1));
  expect(batch.tensors.ids).toBe('int64 [20, 0] ');
});

test.each([0, 1])('bad rows are left out and named once, in order (workers: %i)', async (numWorkers) => {
  const broken = await tableOf(30, [4, 7, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29]);
  const named: string[] = [];
  const rows = await withLoader(
    broken,
    {
      numWorkers,
      batchSize: 10,
      shuffle: false,
      onBadRow: ({ row, image, reason }) => named.push(`${row} ${image} ${reason}`),
    },
    async (loader) => {
      await read(loader, 1);
      const batches = await read(loader, 2);
      expect(loader.badRows).toBe(12);
      expect(await read(loader, 2, loader.batches)).toEqual([]);
      expect(batches[0].tensors.pixels).toMatch(/^uint8 \[8, 3, 12, 12\] /);
      return batches.map((batch) => batch.rows);
    },
  );
  expect(rows).toEqual([
    [0, 1, 2, 3, 5, 6, 8, 9],
    [10, 11, 12, 13, 14, 15, 16, 17, 18, 19],
  ]);
  expect(named).toHaveLength(12);
  expect(named[0]).toMatch(/^4 .*images\/4\.png Expected a readable image/);
  expect(named[1]).toMatch(/^7 /);
});

test('strict stops at a bad row, after the batches before it', async () => {
  const broken = await tableOf(30, [14]);
  await withLoader(broken, { strict: true, batchSize: 10, shuffle: false, numWorkers: 1 }, async (loader) => {
    const seen: number[] = [];
    const reading = (async () => {
      for await (const batch of loader.epoch(1)) seen.push(...plain(batch).rows);
    })();
    await expect(reading).rejects.toMatchObject({
      code: 'ERR_DATA',
      message: expect.stringMatching(/^Row 15 cannot be used\. .*14\.png/),
    });
    expect(seen).toHaveLength(10);
  });
});

test('when no image can be read, that is an error', async () => {
  const broken = await tableOf(3, [0, 1, 2]);
  await withLoader(broken, { batchSize: 1, shuffle: false }, async (loader) => {
    await expect(read(loader, 1)).rejects.toMatchObject({
      code: 'ERR_DATA',
      message: expect.stringMatching(/^None of the images .* row 1\./),
    });
  });
});

test('leaving the loop frees what was loaded ahead, and the loader goes on', async () => {
  await withLoader(table, { batchSize: 4, numWorkers: 1 }, async (loader) => {
    for (let i = 0; i < 3; i++) {
      for await (const batch of loader.epoch(i)) {
        batch.dispose();
        break;
      }
      // Fewer when tensors from before were collected meanwhile.
      expect(torch.memory().tensors).toBeLessThanOrEqual(tensorsBefore);
    }
    expect(await read(loader, 1)).toHaveLength(11);
  });
});

test('no more than some batches are loaded ahead', async () => {
  await withLoader(table, { batchSize: 1, numWorkers: 1 }, async (loader) => {
    for await (const batch of loader.epoch(1)) {
      expect(torch.memory().tensors - tensorsBefore).toBeLessThanOrEqual(2 * (1 + 2 * 16));
      batch.dispose();
    }
  });
});

test.each([0, 1])('an AbortSignal ends the loading (workers: %i)', async (numWorkers) => {
  await withLoader(table, { batchSize: 4, numWorkers }, async (loader) => {
    const abort = new AbortController();
    const reading = (async () => {
      for await (const batch of loader.epoch(1, { signal: abort.signal })) {
        batch.dispose();
        abort.abort();
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    await expect(loader.epoch(1, { signal: abort.signal }).next()).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });
});

test.each([0, 1])('closing in the middle of an epoch ends it (workers: %i)', async (numWorkers) => {
  const loader = new PairLoader(table, { ...options, batchSize: 4, numWorkers });
  const reading = loader.epoch(1);
  ((await reading.next()).value as Batch).dispose();
  const pending = reading.next();
  const refused = expect(pending).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  await loader.close();
  await refused;
  await expect(loader.epoch(1).next()).rejects.toMatchObject({ code: 'ERR_OPTION' });
  await loader.close();
});

test('closing frees what an abandoned epoch has loaded ahead', async () => {
  const loader = new PairLoader(table, { ...options, batchSize: 4, numWorkers: 1 });
  const reading = loader.epoch(1);
  ((await reading.next()).value as Batch).dispose();
  await loader.close();
  // Fewer when tensors from before were collected meanwhile.
  expect(torch.memory().tensors).toBeLessThanOrEqual(tensorsBefore);
  await expect(reading.next()).rejects.toMatchObject({ code: 'ERR_ABORTED' });
});

test('a worker that dies ends the epoch with an error', async () => {
  const loader = new PairLoader(table, { ...options, batchSize: 4, numWorkers: 2 });
  const { members } = (loader as unknown as { filler: { members: { worker: { terminate(): Promise<number> } }[] } })
    .filler;
  const reading = (async () => {
    for await (const batch of loader.epoch(1)) {
      batch.dispose();
      await members[0].worker.terminate();
    }
  })();
  await expect(reading).rejects.toMatchObject({
    code: 'ERR_DATA',
    message: expect.stringMatching(/worker thread .* ended/),
  });
  await expect(read(loader, 1)).rejects.toThrow(/worker thread .* ended/);
  await loader.close();
});

test.each([
  [{ batchSize: 0 }, /batchSize must be an integer of at least 1, but is 0/],
  [{ batchSize: 46 }, /A batch of 46 cannot be made of 45 rows/],
  [{ numWorkers: 1.5 }, /numWorkers must be/],
  [{ size: NaN }, /size must be/],
])('options that make no sense are refused (%#)', (more, message) => {
  expect(() => new PairLoader(table, { ...options, ...more })).toThrow(message);
});

test('a process that never closes its loader ends, and nothing is left unhandled', async () => {
  await tableOf(40, [3]);
  const program = `
    const { PairLoader } = require(${JSON.stringify(require.resolve('../../src/data/loader'))});
    const { readPairs } = require(${JSON.stringify(require.resolve('../../src/data/pairs'))});
    (async () => {
      const table = await readPairs(${JSON.stringify(join(folder, 'train.csv'))});
      for (const numWorkers of [0, 2]) {
        const loader = new PairLoader(table, { batchSize: 4, size: 12, numWorkers, strict: true });
        for await (const batch of loader.epoch(1)) { batch.dispose(); break; }
        const reading = loader.epoch(2);
        await reading.next();
        void reading.next().catch(() => {});
      }
      console.log('done');
    })();`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', program], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'done\n', stderr: '' });
});

describe('what is not the fault of a row ends the loading', () => {
  test.each([0, 1])('an image that was read before and is gone (workers: %i)', async (numWorkers) => {
    const pairs = await tableOf(20);
    const loading = withLoader(pairs, { numWorkers, batchSize: 10, shuffle: false, cacheBytes: 0 }, async (loader) => {
      expect(await read(loader, 1)).toHaveLength(2);
      rmSync(join(folder, 'images/13.png'));
      await read(loader, 2);
    });
    await expect(loading).rejects.toMatchObject({
      code: 'ERR_DATA',
      message: expect.stringMatching(/^The image of row 14 was read before and is gone; .*13\.png/),
    });
  });

  test('too few descriptors', () => {
    const script = `
      const { decodeImage } = require(${JSON.stringify(join(__dirname, '../../dist/images/image.js'))});
      const { faultOf } = require(${JSON.stringify(join(__dirname, '../../dist/images/faults.js'))});
      const { openSync } = require('node:fs');
      (async () => {
        const image = ${JSON.stringify(join(folder, 'images/0.png'))};
        await decodeImage(image); // loads the addon while there are descriptors
        const held = [];
        try { for (;;) held.push(openSync('/dev/null')); } catch {}
        await decodeImage(image);
      })().catch((error) => console.log(error.code, faultOf(error), error.message));`;
    const { stdout } = spawnSync('bash', ['-c', `ulimit -n 200; exec "$0" -e "$1"`, process.execPath, script], {
      encoding: 'utf8',
    });
    expect(stdout).toMatch(/^ERR_DATA machine .*too many open files \(EMFILE\)/);
  });
});

test.each([0, 1])('more bad rows than may be left out end the loading (workers: %i)', async (numWorkers) => {
  const broken = await tableOf(30, [4, 7, 20, 21]);
  const named: number[] = [];
  const loading = (maxBadRows: number): Promise<Plain[]> =>
    withLoader(
      broken,
      { numWorkers, batchSize: 10, shuffle: false, maxBadRows, onBadRow: ({ row }) => named.push(row) },
      (loader) => read(loader, 1),
    );
  expect(await loading(4)).toHaveLength(3);
  await expect(loading(3)).rejects.toMatchObject({
    code: 'ERR_DATA',
    message: expect.stringMatching(/^4 images cannot be used, more than the 3 .*--max_bad_rows.* row 22\./),
  });
  expect(named).toEqual([4, 7, 20, 21, 4, 7, 20, 21]);
});

test.each([0, 1])('a FIFO as an image is left out and named (workers: %i)', async (numWorkers) => {
  const pairs = await tableOf(20);
  rmSync(join(folder, 'images/3.png'));
  spawnSync('mkfifo', [join(folder, 'images/3.png')]);
  const named: string[] = [];
  await withLoader(
    pairs,
    { numWorkers, batchSize: 10, shuffle: false, onBadRow: ({ reason }) => named.push(reason) },
    (loader) => read(loader, 1),
  );
  expect(named).toEqual([expect.stringMatching(/3\.png', but it is a FIFO/)]);
});
