import { join } from 'node:path';
import fc from 'fast-check';
import { readCsv } from '../../src/data/csv';
import { temporaryFolder } from './temporary';

const quoted = (field: string): string => `"${field.replaceAll('"', '""')}"`;

async function rowsOf(content: string | Buffer, delimiter = ','): Promise<{ header: string[]; rows: string[][]; bad: number[]; lines: number[] }> {
  const file = join(temporaryFolder({ 'a.csv': content }), 'a.csv');
  const result = { header: [] as string[], rows: [] as string[][], bad: [] as number[], lines: [] as number[] };
  await readCsv(
    file,
    delimiter,
    (columns) => {
      result.header = columns;
      return (fields, line) => {
        result.rows.push(fields);
        result.lines.push(line);
      };
    },
    ({ line }) => result.bad.push(line),
  );
  return result;
}

test('quoted fields, a byte order mark, Windows line ends and blank lines are read', async () => {
  const { header, rows, lines } = await rowsOf('\uFEFFimage,caption\r\na.png,"one, ""two"""\r\n\r\nb.png,three');
  expect(header).toEqual(['image', 'caption']);
  expect(rows).toEqual([['a.png', 'one, "two"'], ['b.png', 'three']]);
  expect(lines).toEqual([2, 4]);
});

test('what is written with quotes is read back', async () => {
  const field = fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => text.replace(/[\r\uFEFF]/g, '.'));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(field, field), { minLength: 1, maxLength: 8 }), async (rows) => {
      const text = ['x\ty', ...rows.map((row) => row.map(quoted).join('\t'))].join('\n');
      expect((await rowsOf(text, '\\t')).rows).toEqual(rows);
    }),
    { numRuns: 50 },
  );
});

test('a row with more or fewer fields than the header is a bad row', async () => {
  const { rows, bad } = await rowsOf('a,b\n1,2\n1,2,3\n4\n5,6\n');
  expect(rows).toEqual([['1', '2'], ['5', '6']]);
  expect(bad).toEqual([3, 4]);
});

test.each([
  ['a,b\n1,2\n3,"four', /line 3: the row that begins here has a quote that is never closed/],
  ['a,b\n1,2\n3,"fo"ur\n5,6', /line 3: .* stray quote/],
  ['a,b\n1,2\n3,fo"ur\n5,6', /line 3: .* stray quote/],
  [`a,b\n1,2\n1,${'x'.repeat(1_200_000)}\n3,4\n`, /line 3: the row that begins here is longer than 1048576 bytes/],
  [`a,b\n1,"${'x'.repeat(1 << 20)}\n`, /line 2: .* longer than 1048576 bytes, .* never closed/],
  ['', /is empty: expected a header row/],
  ['\n\n', /is empty: expected a header row/],
])('malformed text is refused with the line of the row (%#)', async (text, message) => {
  await expect(rowsOf(text)).rejects.toMatchObject({ code: 'ERR_DATA', message: expect.stringMatching(message) });
});

test('a missing file, a folder and a long delimiter are refused', async () => {
  const folder = temporaryFolder();
  const read = (file: string, delimiter = ','): Promise<void> => readCsv(file, delimiter, () => () => {}, () => {});
  await expect(read(join(folder, 'no.csv'))).rejects.toThrow(/no\.csv does not exist/);
  await expect(read(folder)).rejects.toThrow(/is a folder/);
  await expect(read(folder, '||')).rejects.toMatchObject({ code: 'ERR_OPTION', message: expect.stringContaining('--delimiter') });
});

test('an error thrown for a row ends the reading and comes out as it is', async () => {
  const file = join(temporaryFolder({ 'a.csv': `a\n${'1\n'.repeat(100_000)}` }), 'a.csv');
  let rows = 0;
  const reading = readCsv(file, ',', () => () => {
    if (++rows === 3) throw new RangeError('enough');
  }, () => {});
  await expect(reading).rejects.toThrow('enough');
  expect(rows).toBe(3);
});
