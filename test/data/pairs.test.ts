import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { badRowWarnings, type PairTable, readPairs, refuseBadRows } from '../../src/data/pairs';
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
  const marked = await readPairs(
    write('image,caption,is_backdoor\nbackdoor/a.png,x,0\nb.png,x,True\nc.png,x,1\nd.png,x,\n'),
  );
  expect([0, 1, 2, 3].map((i) => marked.isBackdoor(i))).toEqual([false, true, true, false]);
  const folder = temporaryFolder({ 'backdoor/train.csv': 'image,caption\na.png,x\nbackdoor_images/b.png,x\n' });
  const named = await readPairs(join(folder, 'backdoor/train.csv'));
  expect([named.isBackdoor(0), named.isBackdoor(1)]).toEqual([false, true]);
  await expect(readPairs(write('image,caption,is_backdoor\na,x,yes\n'))).rejects.toThrow(
    /line 2: .*is_backdoor, found "yes"/,
  );
});

test('select makes tables of tables, in the order asked for', async () => {
  const table = await readPairs(
    write(`image,caption\n${[0, 1, 2, 3, 4].map((i) => `${i}.png,caption ${i}`).join('\n')}`),
  );
  const some = table.select([4, 2, 0]);
  expect(captions(some)).toEqual(['caption 4', 'caption 2', 'caption 0']);
  expect(captions(some.select(Int32Array.of(2, 0)))).toEqual(['caption 0', 'caption 4']);
  expect(some.shared.strings).toBe(table.shared.strings);
  expect([some.length, some.hasBackdoor()]).toEqual([3, false]);
  const refusal = expect.objectContaining({
    code: 'ERR_OPTION',
    message: 'A row of these pairs must be an integer from 0 to 2, but is 3.',
  });
  expect(() => some.caption(3)).toThrow(refusal);
  expect(() => some.select([3])).toThrow(refusal);
});

test('rows without an image are left out, counted and named', async () => {
  const table = await readPairs(write(`image,caption\na.png,x\n${' ,y\n'.repeat(50)}b.png,z,too many\nc.png,z\n`));
  expect(captions(table)).toEqual(['x', 'z']);
  expect(table.badRows.count).toBe(51);
  expect(table.badRows.examples).toHaveLength(20);
  expect(table.badRows.examples[0]).toEqual({ line: 3, byte: 22, reason: 'it names no image' });
});

test.each([
  ['', {}, /is empty/],
  ['image,caption\n', {}, /header but no rows/],
  ['image,caption\n,x\n', {}, /no usable row: line 2 .* names no image/],
  ['filepath,title\na,b\n', {}, /no column "image"; its columns are "filepath", "title"\. .*--image_key/],
  ['image,title\na,b\n', {}, /no column "caption".*--caption_key/],
  ['image\tcaption\na\tb\n', {}, /its columns are "image\\tcaption".*--delimiter/],
  ['image,caption\na,b\n', { imageKey: 'path' }, /no column "path"/],
  [
    'a cat\ta.jpg\na dog\tb.jpg\n',
    { delimiter: '\t' },
    /no column "image"; its columns are "a cat", "a.jpg"\..* if the file has no header .*--columns caption,image/,
  ],
  ['sep=,\nimage,caption\na,b\n', {}, /Remove its first line, "sep="/],
  ['image,caption\na,b\n', { columns: 'image,caption' }, /has a header.*leave out --columns/],
  ['https://x.org/a.jpg,a cat\n', { columns: 'image,caption' }, /line 1 cannot be used because its image is a URL/],
  ['a,b\n', { columns: 'image,text' }, /no column "caption"/],
  ['image\x1b[2J,x\na,b\n', {}, /"image\\u001b\[2J"/],
  ['image,caption,is_backdoor\na,b,\x1b]0;x\x07\u009b\n', {}, /found "\\x1b\]0;x\\x07\\x9b"/],
])('a file that cannot be used is refused (%#)', async (text, columns, message) => {
  await expect(readPairs(write(text), columns)).rejects.toMatchObject({
    code: 'ERR_DATA',
    message: expect.stringMatching(message),
  });
});

test.each([
  [1, {}, 'The file of readPairs'],
  [undefined, {}, 'The file of readPairs'],
  ['a.csv', 5, 'The columns of readPairs'],
  ['a.csv', null, 'The columns of readPairs'],
  ['a.csv', { imageKey: 5 }, 'imageKey'],
  ['a.csv', { captionKey: {} }, 'captionKey'],
  ['a.csv', { delimiter: 7 }, '--delimiter'],
  ['a.csv', { delimiter: '\ud83d' }, '--delimiter'],
  ['a.csv', { columns: ['a'] }, '--columns'],
  ['a.csv', { columns: 'a,,b' }, '--columns'],
  ['a.csv', { columns: 'a,a' }, '--columns'],
])('arguments of another kind are refused (%#)', async (file, columns, message) => {
  await expect(readPairs(file as string, columns as object)).rejects.toMatchObject({
    code: 'ERR_OPTION',
    message: expect.stringContaining(message),
  });
});

test('GCC-training.tsv is read once its columns are named', async () => {
  const table = await readPairs(write('a cat\ta.jpg\n" b " c\tb.jpg\n'), {
    delimiter: '\\t',
    columns: 'caption, image',
  });
  expect([table.imageField(0), table.caption(0), table.imageField(1), table.caption(1)]).toEqual([
    'a.jpg',
    'a cat',
    'b.jpg',
    ' b  c',
  ]);
  expect(table.badRows.count).toBe(0);
});

test('blanks around a path are no part of it, but stay in the field', async () => {
  const file = write('image, caption\n a.jpg , x\n');
  const table = await readPairs(file);
  expect([table.image(0), table.imageField(0)]).toEqual([join(file, '../a.jpg'), ' a.jpg ']);
});

test('what a job says of rows that are left out names file, line and byte, without control characters', async () => {
  const file = write('image,caption\na.jpg,x\n,y\n');
  const { badRows } = await readPairs(file);
  expect(badRowWarnings(badRows, file)).toEqual([
    `${file}, line 3 (byte 22): the row is left out because it names no image.`,
    `1 row of ${file} is left out.`,
  ]);
  expect(badRowWarnings({ count: 0, examples: [] }, file)).toEqual([]);
  expect(badRowWarnings(badRows, 'a\x1b[31m\n')[0]).toContain('a\\x1b[31m\\x0a, line 3');
  expect(() => refuseBadRows(badRows, file)).toThrow(/line 3 \(byte 22\): with --strict no row may be left out/);
});

test.each(['fifo', 'folder', '/dev/zero', '/dev/null'])('%s in place of a csv is refused at once', async (kind) => {
  const folder = temporaryFolder();
  const path = kind.startsWith('/') ? kind : kind === 'folder' ? folder : join(folder, 'fifo');
  if (kind === 'fifo') execFileSync('mkfifo', [path]);
  await expect(readPairs(path)).rejects.toMatchObject({
    code: 'ERR_DATA',
    message: expect.stringMatching(/Expected a csv file in '.*', but it is a (FIFO|folder|device)/),
  });
});

test('a selection knows which of its rows are poisoned', async () => {
  const rows = Array.from({ length: 20 }, (_, i) => `${i}.png,x,${Number(i % 3 === 0)}`);
  const table = await readPairs(write(`image,caption,is_backdoor\n${rows.join('\n')}`));
  const marks = (pairs: PairTable): boolean[] => Array.from({ length: pairs.length }, (_, i) => pairs.isBackdoor(i));
  expect(marks(table)).toEqual(rows.map((_, i) => i % 3 === 0));
  expect(marks(table.select([19, 18, 9, 8]))).toEqual([false, true, true, false]);
  expect([table.hasBackdoor(), table.select([18]).hasBackdoor(), table.select([1, 19]).hasBackdoor()]).toEqual([
    true,
    true,
    false,
  ]);
});

test('100,000 rows take little memory and are shared with a worker', async () => {
  const rows = 100_000;
  const table = await readPairs(
    write(`image,caption\n${Array.from({ length: rows }, (_, i) => `${i}.png,caption ${i}\n`).join('')}`),
  );
  expect(table.length).toBe(rows);
  for (let i = 0; i < rows; i += 997)
    expect([table.imageField(i), table.caption(i)]).toEqual([`${i}.png`, `caption ${i}`]);
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
