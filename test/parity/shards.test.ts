import { createHash } from 'node:crypto';
import { copyFileSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { runPoison } from '../../src/backdoor/poison';
import type { Listing } from '../../src/data/listing';
import { PairLoader } from '../../src/data/loader';
import { badRowWarnings, type PairTable, readPairs } from '../../src/data/pairs';
import { ParquetReader, parquetThreads } from '../../src/data/parquet_reader';
import { unpackedImages } from '../../src/data/unpacked_images';
import { drawShapes } from '../support/pairs';
import { samplesOf, shardsOf } from '../support/shards';
import { python } from './python';

jest.setTimeout(120_000);

let folder: string;
let csv: PairTable;
const file = (name: string): string => join(folder, name);
const captions = (table: PairTable): string[] => Array.from({ length: table.length }, (_, i) => table.caption(i));
const message = async (name: string, columns: object = {}): Promise<string> =>
  readPairs(file(name), columns).then(
    () => 'it was read',
    (error: Error) => error.message,
  );

/** The digest of what a loader gives in two epochs. */
async function digest(table: PairTable, more: object = {}): Promise<string> {
  const loader = new PairLoader(table, { batchSize: 8, size: 16, seed: 1, inmodal: true, ...more });
  const hash = createHash('sha256');
  for (const epoch of [0, 1]) {
    for await (const batch of loader.epoch(epoch)) {
      hash.update(Uint8Array.from(batch.rows));
      for (const tensor of [batch.pixels, batch.augmentedPixels!, batch.ids, batch.augmentedIds!])
        hash.update(tensor.bytes());
      batch.dispose();
    }
  }
  await loader.close();
  return hash.digest('hex');
}

beforeAll(async () => {
  folder = await drawShapes(3); // 36 pairs
  csv = await readPairs(file('train.csv'));
  const pairs = Array.from({ length: csv.length }, (_, row) => [csv.imageField(row), csv.caption(row)]);
  python('shards.py', { folder, pairs });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('WebDataset reads the shards that are written here', async () => {
  const tars = await shardsOf(file('train.csv'), 10);
  const expected = (await samplesOf(file('train.csv'))).map(({ key, files }, row) => [
    key,
    csv.caption(row),
    createHash('sha256').update(files.png).digest('hex'),
    false,
  ]);
  expect(python('shards.py', { tars })).toEqual(expected);
});

test('tars of WebDataset and parquet files of pyarrow give the batches of the csv', async () => {
  const expected = await digest(csv);
  const sources = [
    '{0,1}.tar',
    'plain.parquet',
    'v2.parquet',
    'delta.parquet',
    'paths.parquet',
    'struct_paths.parquet',
  ];
  for (const name of [...sources, ...['snappy', 'zstd', 'gzip', 'brotli'].map((codec) => `${codec}.parquet`)]) {
    const table = await readPairs(file(name));
    expect([name, table.length, badRowWarnings(table.badRows, name)]).toEqual([name, 36, []]);
    expect([name, await digest(table)]).toEqual([name, expected]);
  }
  const columns = { imageKey: 'jpg', captionKey: 'text' };
  expect(await digest(await readPairs(file('bytes.parquet'), columns), { numWorkers: 2 })).toBe(expected);
});

test('images of a plain column stay in the parquet, those of a compressed one are unpacked once', async () => {
  const tars = (): string[] => readdirSync(folder).filter((name) => /\.parquet\..*\.tar$/.test(name));
  expect((await readPairs(file('plain.parquet'))).imageField(12)).toMatch(/^plain\.parquet#parquet=/);
  const table = await readPairs(file('snappy.parquet'));
  expect(table.imageField(12)).toMatch(/^snappy\.parquet\.[0-9a-f]{8}\.tar#tar=\d+\+\d+&check=.*&name=\.jpg$/);
  expect([table.isBackdoor(1), table.isBackdoor(2)]).toEqual([true, false]);
  const before = tars();
  expect(before.filter((name) => name.startsWith('plain'))).toEqual([]);
  const [one, other] = await Promise.all([readPairs(file('lists.parquet')), readPairs(file('lists.parquet'))]);
  expect(other.imageField(35)).toBe(one.imageField(35));
  await readPairs(file('snappy.parquet'));
  expect(tars()).toHaveLength(before.length + 1);
  expect(readdirSync(folder).filter((name) => /tmp|lock/.test(name))).toEqual([]);
});

test('unpacking tells its part of the work, and who waits for it tells that', async () => {
  copyFileSync(file('gzip.parquet'), file('again.parquet'));
  const threads = parquetThreads();
  const parts = await Promise.all(
    [0, 1].map(async () => {
      const told: [number, string][] = [];
      const listing = { at: (part: number, how: string) => told.push([part, how]) } as unknown as Listing;
      const reader = new ParquetReader(file('again.parquet'), threads);
      (await unpackedImages(reader, file('again.parquet'), 'image', listing)).close();
      return told;
    }),
  );
  await threads.close();
  const [waiting, unpacking] = parts.sort(([[, a]], [[, b]]) => b.length - a.length);
  expect(unpacking).toEqual(Array.from({ length: 36 }, (_, row) => [(0.9 * row) / 36, 'is being unpacked']));
  expect(new Set(waiting.map((each) => each.join()))).toEqual(new Set(['0,is being unpacked by another process']));
});

test('a list column has several captions', async () => {
  const table = await readPairs(file('lists.parquet'));
  expect(table.captions(3)).toEqual([csv.caption(3), 'another', 'third']);
});

test.each(['odd', 'odd_snappy'])('unusable rows of %s are left out and named', async (name) => {
  const table = await readPairs(file(`${name}.parquet`));
  expect(captions(table)).toEqual(captions(csv).slice(4));
  expect([0, 1].map((row) => table.isBackdoor(row))).toEqual([true, false]);
  expect(badRowWarnings(table.badRows, 'x')).toEqual([
    expect.stringMatching(/odd.*\.parquet, row 1: the row is left out because it has no caption\.$/),
    expect.stringMatching(/row 2: .* it names no image\.$/),
    expect.stringMatching(/row 3: .* its image is empty\.$/),
    expect.stringMatching(/row 4: .* its image is a URL/),
    '4 rows of x are left out.',
  ]);
});

test('a parquet without a column, torn, or none at all is refused', async () => {
  expect(await message('plain.parquet', { captionKey: 'text' })).toMatch(
    /plain\.parquet has no column "text"; its columns are "image", "caption"\. Name the column with --caption_key\./,
  );
  writeFileSync(file('torn.parquet'), readFileSync(file('plain.parquet')));
  truncateSync(file('torn.parquet'), 5000);
  expect(await message('torn.parquet')).toMatch(/^Expected a readable parquet file in '.*torn\.parquet', but/);
  writeFileSync(file('empty.parquet'), '');
  expect(await message('empty.parquet')).toMatch(/but reading it failed: it is empty\.$/);
  writeFileSync(file('text.parquet'), 'image,caption\nx,y\n');
  expect(await message('text.parquet')).toMatch(/but reading it failed: /);
  expect(await message('none.parquet')).toMatch(/Expected a parquet file in .*there is no such file/);
});

test('a damaged row group is left out and named', async () => {
  const bytes = readFileSync(file('zstd.parquet'));
  const table = await readPairs(file('plain.parquet'));
  expect(table.length).toBe(36);
  bytes.fill(0xff, 4, 40);
  writeFileSync(file('damaged.parquet'), bytes);
  const damaged = await readPairs(file('damaged.parquet'));
  expect(captions(damaged)).toEqual(captions(csv).slice(10));
  expect(badRowWarnings(damaged.badRows, 'x')[0]).toMatch(
    /damaged\.parquet, row 1: the row is left out because its row group 1 cannot be read: /,
  );
});

describe('the poisoned set', () => {
  const poison = (trainData: string) => {
    const options = { numBackdoor: 4, label: 'red circle', imageSize: 24, patchSize: 4, seed: 2 };
    return runPoison({ ...options, trainData, templates: file('test/classes.json') });
  };
  const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

  test('of tars is read by WebDataset, to the last byte of its images', async () => {
    const listed = await readPairs((await poison(file('train.csv'))).trainData);
    const { trainData } = await poison(file('{0,1}.tar'));
    const expected = Array.from({ length: 36 }, (_, row) => [
      String(row).padStart(9, '0'),
      listed.caption(row),
      digestOf(readFileSync(listed.image(row))),
      row < 4,
    ]);
    expect(python('shards.py', { tars: trainData.replace('*', '00000') })).toEqual(expected);
  });

  test.each(['plain', 'snappy', 'lists', 'paths', 'struct_paths'])(
    'of %s.parquet has the batches of it',
    async (name) => {
      rmSync(file('backdoor_red circle_random_random_4_36_4'), { recursive: true, force: true });
      const listed = await readPairs((await poison(file('train.csv'))).trainData);
      const table = await readPairs((await poison(file(`${name}.parquet`))).trainData);
      const several = name === 'lists' ? 32 : 0;
      expect(Array.from({ length: 36 }, (_, row) => table.captions(row).length).filter((n) => n === 3)).toHaveLength(
        several,
      );
      if (several === 0) expect(await digest(table)).toBe(await digest(listed));
    },
  );

  test('leaves out rows of a parquet whose image was deleted', async () => {
    const picked = await readPairs((await poison(file('paths.parquet'))).originalCsv);
    const images = Array.from({ length: 4 }, (_, row) => picked.imageField(row));
    const gone = csv.imageField(0) === images[0] ? csv.image(1) : csv.image(0);
    const bytes = readFileSync(gone);
    rmSync(gone);
    const { badRows, trainData } = await poison(file('paths.parquet'));
    writeFileSync(gone, bytes);
    expect(badRows).toMatchObject({ count: 1, examples: [{ reason: expect.stringContaining('cannot be read') }] });
    expect((await readPairs(trainData)).length).toBe(35);
  });
});
