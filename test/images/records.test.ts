import { once } from 'node:events';
import { resolve } from 'node:path';
import { Worker } from 'node:worker_threads';

import fc from 'fast-check';

import { decodeImage } from '../../src/images/image';
import { type ImageRecord, parseAddress, readRecord, recordAddress } from '../../src/images/records';
import { temporaryFolder } from '../data/temporary';

const record = (change: Partial<ImageRecord> = {}): ImageRecord => ({
  file: '/data/a#1.bin',
  record: 17,
  offset: 5,
  width: 2,
  height: 3,
  order: 'rows',
  ...change,
});

test('an address survives the way through a table of paths', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.nat(),
      fc.maxSafeNat(),
      fc.integer({ min: 1, max: 4096 }),
      fc.constantFrom('rows', 'columns'),
      (name, number, offset, side, order) => {
        const image = record({
          file: resolve('/data', `x${name.replaceAll('/', '')}y`),
          record: number,
          offset,
          width: side,
          height: 7,
          order,
        });
        expect(parseAddress(resolve('', recordAddress(image)))).toEqual(image);
      },
    ),
  );
});

test.each([
  '/data/cat.jpg',
  '/data/a#1.jpg',
  '/data/a#record=1',
  '/a#record=1&at=2&size=3x3&by=rows',
  `/a#record=1&at=2&size=3x3&by=rows&key=${'0'.repeat(32)}`,
])('%s is the path of a file', (path) => expect(parseAddress(path)).toBeUndefined());

test('planes are read by rows and by columns', async () => {
  const folder = temporaryFolder({ 'a.bin': Buffer.from(Array.from({ length: 24 }, (_, i) => i)) });
  const image = record({ file: `${folder}/a.bin` });
  const pixel = (i: number): number[] => [i, i + 6, i + 12];
  expect([...(await readRecord(image)).data]).toEqual([5, 6, 7, 8, 9, 10].flatMap(pixel));
  expect([...(await readRecord({ ...image, order: 'columns' })).data]).toEqual([5, 8, 6, 9, 7, 10].flatMap(pixel));
  using tensor = await decodeImage(recordAddress(image));
  expect(tensor.toArray()).toEqual(
    [0, 6, 12].map((plane) =>
      [
        [5, 6],
        [7, 8],
        [9, 10],
      ].map((row) => row.map((i) => i + plane)),
    ),
  );
});

test('a record that is not there is refused, naming file and record', async () => {
  const folder = temporaryFolder({ 'a.bin': Buffer.alloc(20) });
  const refused = (image: ImageRecord): Promise<unknown> =>
    decodeImage(recordAddress(image)).catch((error: unknown) => error);
  expect(await refused(record({ file: `${folder}/a.bin` }))).toMatchObject({
    code: 'ERR_DATA',
    message: expect.stringMatching(/image 17 in .*a\.bin at byte 5, but the file ends/),
  });
  expect(await refused(record({ file: `${folder}/b.bin` }))).toMatchObject({
    code: 'ERR_DATA',
    message: expect.stringMatching(/image 17 in .*b\.bin', but there is no such file/),
  });
});

test.each([{ width: 0 }, { width: 9999 }, { order: 'chance' as 'rows' }])('an address with %j is none', (change) => {
  expect(parseAddress(recordAddress(record(change)))).toBeUndefined();
});

test('a csv cannot name the bytes of a file, though it may hold what another process made', async () => {
  const folder = temporaryFolder({ secret: 'x'.repeat(100) });
  const text = `${folder}/secret#record=0&at=0&size=4x4&by=rows`;
  for (const address of [text, `${text}&key=${'ab'.repeat(16)}`]) {
    await expect(decodeImage(address)).rejects.toMatchObject({
      code: 'ERR_DATA',
      message: expect.stringContaining('no such file'),
    });
  }
});

test('an address is good in the threads that this one starts', async () => {
  const address = recordAddress(record());
  const code =
    'const { parentPort, workerData } = require("node:worker_threads"); ' +
    'parentPort.postMessage(require(workerData.module).parseAddress(workerData.address));';
  const worker = new Worker(code, {
    eval: true,
    workerData: { module: resolve(__dirname, '../../dist/images/records.js'), address },
  });
  const [found] = (await once(worker, 'message')) as [ImageRecord];
  expect(found).toEqual(record());
});
