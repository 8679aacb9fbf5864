import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

import fc from 'fast-check';

import { readCsv } from '../../src/data/csv';
import { writeCsv } from '../../src/data/csv_writer';
import { temporaryFolder } from './temporary';

const file = join(temporaryFolder(), 'pairs.csv');

async function read(delimiter: string): Promise<string[][]> {
  const rows: string[][] = [];
  await readCsv(
    file,
    { delimiter },
    (columns) => (rows.push(columns), (fields) => void rows.push(fields)),
    () => undefined,
  );
  return rows;
}

test('what is written is read again: quotes, delimiters, line ends, any letters', async () => {
  const field = fc.string({
    unit: fc.constantFrom('a', 'é', '🍌', '"', ',', '\t', '\n', '\r\n', '\r', ' ', ';'),
    minLength: 1,
  });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(field, field)), fc.constantFrom(',', '\\t', ';'), async (rows, delimiter) => {
      writeCsv(file, ['image', 'caption'], rows, delimiter);
      expect(await read(delimiter)).toEqual([['image', 'caption'], ...rows]);
    }),
    { seed: 1, numRuns: 60 },
  );
});

test('many rows arrive in order', async () => {
  const rows = Array.from({ length: 25_001 }, (_, i) => [`${i}.png`, i]);
  writeCsv(file, ['image', 'label'], rows);
  expect((await read(',')).slice(1)).toEqual(rows.map((row) => row.map(String)));
});

test('a failure in the middle leaves the earlier file and nothing else', async () => {
  writeCsv(file, ['image'], [['a.png']]);
  const failing = function* (): Iterable<string[]> {
    yield ['b.png'];
    throw new Error('stop');
  };
  expect(() => writeCsv(file, ['image'], failing())).toThrow('stop');
  expect(await read(',')).toEqual([['image'], ['a.png']]);
  expect(readdirSync(dirname(file))).toEqual(['pairs.csv']);
});
