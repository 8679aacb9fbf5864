import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { readPairs, type PairTable } from '../../src/data/pairs';
import { temporaryFolder } from './temporary';

const write = (text: string): string => join(temporaryFolder({ 'train.csv': text }), 'train.csv');
const captions = (table: PairTable): string[] => Array.from({ length: table.length }, (_, i) => table.caption(i));

test('paths are relative to the folder of the file, absolute ones stay', async () => {
  const file = write('image,caption\nimages/ä.png,Grüße 🦊\n/elsewhere/b.png,\n');
  const table = await readPairs(file);
  expect(table.length).toBe(2);
  expect(table.image(0)).toBe(join(file, '..', 'images/ä.png'));
  expect(table.imageField(0)).toBe('images/ä.png');
  expect(table.caption(0)).toBe('Grüße 🦊');
  expect(table.image(1)).toBe('/elsewhere/b.png');
  expect(table.caption(1)).toBe('');
});

test('columns and delimiter can be named', async () => {
  const table = await readPairs(write('title\tid\tfilepath\nA cat, asleep\t7\tcat.jpg\n'), {
    imageKey: 'filepath',
    captionKey: 'title',
    delimiter: '\t',
  });
  expect([table.imageField(0), table.caption(0)]).toEqual(['cat.jpg', 'A cat, asleep']);
});

test('poisoned rows are those marked, or else those with "backdoor" in the path as written', async () => {
  const marked = await readPairs(write('image,caption,is_backdoor\nbackdoor/a.png,x,0\nb.png,x,True\nc.png,x,1\nd.png,x,\n'));
  expect([0, 1, 2, 3].map((i) => marked.isBackdoor(i))).toEqual([false, true, true, false]);
  const folder = temporaryFolder({ 'backdoor/train.csv': 'image,caption\na.png,x\nbackdoor_images/b.png,x\n' });
  const named = await readPairs(join(folder, 'backdoor/train.csv'));
  expect([named.isBackdoor(0), named.isBackdoor(1)]).toEqual([false, true]);
  await expect(readPairs(write('image,caption,is_backdoor\na,x,yes\n'))).rejects.toThrow(/line 2: .*is_backdoor, found "yes"/);
});

test('select makes tables of tables, in the order asked for', async () => {
  const table = await readPairs(write(`image,caption\n${[0, 1, 2, 3, 4].map((i) => `${i}.png,caption ${i}`).join('\n')}`));
  const some = table.select([4, 2, 0]);
  expect(captions(some)).toEqual(['caption 4', 'caption 2', 'caption 0']);
  expect(captions(some.select(Int32Array.of(2, 0)))).toEqual(['caption 0', 'caption 4']);
  expect(some.shared.strings).toBe(table.shared.strings);
  expect([some.length, some.hasBackdoor()]).toEqual([3, false]);
  expect(() => some.caption(3)).toThrow(RangeError);
  expect(() => some.select([3])).toThrow(RangeError);
});

test('rows without an image are left out, counted and named', async () => {
  const table = await readPairs(write(`image,caption\na.png,x\n${' ,y\n'.repeat(50)}b.png,z,too many\nc.png,z\n`));
  expect(captions(table)).toEqual(['x', 'z']);
  expect(table.badRows.count).toBe(51);
  expect(table.badRows.examples).toHaveLength(20);
  expect(table.badRows.examples[0]).toEqual({ line: 3, reason: 'it names no image' });
});

test.each([
  ['', {}, /is empty/],
  ['image,caption\n', {}, /header but no rows/],
  ['image,caption\n,x\n', {}, /no usable row: line 2 .* names no image/],
  ['filepath,title\na,b\n', {}, /no column "image"; its columns are "filepath", "title"\. .*--image_key/],
  ['image,title\na,b\n', {}, /no column "caption".*--caption_key/],
  ['image\tcaption\na\tb\n', {}, /its columns are "image\\tcaption".*--delimiter/],
  ['image,caption\na,b\n', { imageKey: 'path' }, /no column "path"/],
])('a file that cannot be used is refused (%#)', async (text, columns, message) => {
  await expect(readPairs(write(text), columns)).rejects.toMatchObject({ code: 'ERR_DATA', message: expect.stringMatching(message) });
});

test('a selection knows which of its rows are poisoned', async () => {
  const rows = Array.from({ length: 20 }, (_, i) => `${i}.png,x,${Number(i % 3 === 0)}`);
  const table = await readPairs(write(`image,caption,is_backdoor\n${rows.join('\n')}`));
  const marks = (of: PairTable): boolean[] => Array.from({ length: of.length }, (_, i) => of.isBackdoor(i));
  expect(marks(table)).toEqual(rows.map((_, i) => i % 3 === 0));
  expect(marks(table.select([19, 18, 9, 8]))).toEqual([false, true, true, false]);
  expect([table.hasBackdoor(), table.select([18]).hasBackdoor(), table.select([1, 19]).hasBackdoor()]).toEqual([true, true, false]);
});

test('100,000 rows take little memory and are shared with a worker', async () => {
  const rows = 100_000;
  const table = await readPairs(write(`image,caption\n${Array.from({ length: rows }, (_, i) => `${i}.png,caption ${i}\n`).join('')}`));
  expect(table.length).toBe(rows);
  for (let i = 0; i < rows; i += 997) expect([table.imageField(i), table.caption(i)]).toEqual([`${i}.png`, `caption ${i}`]);
  const { strings, backdoor } = table.shared;
  expect(strings.starts.byteLength + backdoor.byteLength).toBeLessThan(1.2 * rows);
  const worker = new Worker(
    `const { workerData, parentPort } = require('node:worker_threads');
     const { PairTable } = require(workerData.module);
     parentPort.postMessage(new PairTable(workerData.shared).caption(99_999));`,
    { eval: true, workerData: { module: require.resolve('../../src/data/pairs'), shared: table.shared } },
  );
  expect(await new Promise((resolve) => worker.once('message', resolve))).toBe('caption 99999');
});
