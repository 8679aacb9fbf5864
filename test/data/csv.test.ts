import { join } from 'node:path';

import fc from 'fast-check';

import { readCsv } from '../../src/data/csv';
import { temporaryFolder } from './temporary';

const quoted = (field: string): string => `"${field.replaceAll('"', '""')}"`;

interface Result {
  header: string[];
  rows: string[][];
  bad: number[];
  reasons: string[];
  lines: number[];
}

async function rowsOf(content: string | Buffer, delimiter = ',', columns?: string[]): Promise<Result> {
  const file = join(temporaryFolder({ 'a.csv': content }), 'a.csv');
  const result: Result = { header: [], rows: [], bad: [], reasons: [], lines: [] };
  await readCsv(
    file,
    { delimiter, columns },
    (found) => {
      result.header = found;
      return (fields, { line }) => {
        result.rows.push(fields);
        result.lines.push(line);
      };
    },
    ({ line, reason }) => {
      result.bad.push(line);
      result.reasons.push(reason);
    },
  );
  return result;
}

test('quoted fields, a byte order mark, Windows line ends and blank lines are read', async () => {
  const { header, rows, lines } = await rowsOf('\uFEFFimage,caption\r\na.png,"one, ""two"""\r\n\r\nb.png,three');
  expect(header).toEqual(['image', 'caption']);
  expect(rows).toEqual([
    ['a.png', 'one, "two"'],
    ['b.png', 'three'],
  ]);
  expect(lines).toEqual([2, 4]);
});

test('what is written with quotes is read back', async () => {
  const field = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((text) => !/\p{Surrogate}/u.test(text));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(field, field), { minLength: 1, maxLength: 8 }), async (rows) => {
      const text = ['x\ty', ...rows.map((row) => row.map(quoted).join('\t'))].join('\n');
      expect((await rowsOf(text, '\\t')).rows).toEqual(rows);
    }),
    { numRuns: 50 },
  );
});

const caption = 'image,caption\n';
const utf16 = Buffer.from('image,caption\na.jpg,café\n', 'utf16le');

// What pandas 3.1 reads of the same bytes, but where a comment says otherwise.
test.each<[string, string | Buffer, string[][], string?]>([
  [
    'LF after the header, CR LF after rows',
    'image,caption\na.jpg,a cat\r\nb.jpg,a dog\r\n',
    [
      ['a.jpg', 'a cat'],
      ['b.jpg', 'a dog'],
    ],
  ],
  [
    'CR alone',
    'image,caption\ra.jpg,a cat\rb.jpg,a dog\r',
    [
      ['a.jpg', 'a cat'],
      ['b.jpg', 'a dog'],
    ],
  ],
  [
    'CR among LF',
    'image,caption\na.jpg,a cat\rb.jpg,a dog\nc.jpg,x\n',
    [
      ['a.jpg', 'a cat'],
      ['b.jpg', 'a dog'],
      ['c.jpg', 'x'],
    ],
  ],
  [
    'line ends within quotes',
    'image,caption\r\na.jpg,"two\nlines\r\nmore"\r\nb.jpg,x',
    [
      ['a.jpg', 'two\nlines\r\nmore'],
      ['b.jpg', 'x'],
    ],
  ],
  [
    'quotes inside',
    caption + 'a.jpg,a 5" screen\n5"x7".jpg,a dog\n',
    [
      ['a.jpg', 'a 5" screen'],
      ['5"x7".jpg', 'a dog'],
    ],
  ],
  ['text behind a quoted part', caption + 'a.jpg,"hello" says a "sign"\n', [['a.jpg', 'hello says a "sign"']]],
  ['backslashes before quotes', caption + 'a.jpg,"a \\"big\\" cat"\n', [['a.jpg', 'a \\big\\" cat"']]],
  [
    'captions of GCC',
    'caption\timage\n" keep calm " poster\tb.jpg\nsays " hello "\tc.jpg\n',
    [
      [' keep calm  poster', 'b.jpg'],
      ['says " hello "', 'c.jpg'],
    ],
    '\t',
  ],
  [
    'lines of blanks',
    caption + 'a.jpg,a cat\n   \n \t\nb.jpg,a dog\n',
    [
      ['a.jpg', 'a cat'],
      ['b.jpg', 'a dog'],
    ],
  ],
  ['blanks around fields', caption + ' a.jpg, a cat \n', [[' a.jpg', ' a cat ']]],
  ['a zero byte', caption + 'a.jpg,a\0cat\n', [['a.jpg', 'a\0cat']]],
  [
    'other line ends of Unicode',
    caption + 'a.jpg,a\u2028cat\u0085\x0b\x0cx\n',
    [['a.jpg', 'a\u2028cat\u0085\x0b\x0cx']],
  ],
  [
    'an index without a name',
    caption + '0,a.jpg,a cat\n1,b.jpg,a dog\n',
    [
      ['a.jpg', 'a cat'],
      ['b.jpg', 'a dog'],
    ],
  ],
  [
    'delimiters at the ends of rows (pandas shifts the columns)',
    caption + 'a.jpg,a cat,\nb.jpg,a dog,\n',
    [
      ['a.jpg', 'a cat'],
      ['b.jpg', 'a dog'],
    ],
  ],
  ['UTF-16 (pandas asks for its name)', Buffer.concat([Buffer.from([0xff, 0xfe]), utf16]), [['a.jpg', 'café']]],
  [
    'UTF-16, high byte first',
    Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(utf16).swap16()]),
    [['a.jpg', 'café']],
  ],
  [
    'words for missing values (pandas makes them NaN)',
    caption + 'a.jpg,NA\nb.jpg,null\n',
    [
      ['a.jpg', 'NA'],
      ['b.jpg', 'null'],
    ],
  ],
  ['digits (pandas drops zeros)', caption + '0001,007\n', [['0001', '007']]],
  ['a delimiter of two bytes', 'image§caption\na.jpg§Zoë\n', [['a.jpg', 'Zoë']], '§'],
])('%s', async (...[, content, expected, delimiter]) => {
  const { rows, bad } = await rowsOf(content, delimiter);
  expect(rows).toEqual(expected);
  expect(bad).toEqual([]);
});

test('an unnamed index column and names with blanks are columns', async () => {
  expect((await rowsOf(',image, caption \n0,a.jpg,x\n')).header).toEqual(['', 'image', 'caption']);
});

test('rows that are no UTF-8 are bad ones, named by field and byte; a real U+FFFD is none', async () => {
  const latin1 = Buffer.concat([
    Buffer.from(caption),
    Buffer.from('a.jpg,a café\ncafé.jpg,x\n', 'latin1'),
    Buffer.from('b.jpg,a caf\ufffd\n'),
  ]);
  const { rows, bad, reasons } = await rowsOf(latin1);
  expect(rows).toEqual([['b.jpg', 'a caf\ufffd']]);
  expect(bad).toEqual([2, 3]);
  expect(reasons).toEqual([
    'byte 6 of its field 2, 0xE9, is no UTF-8; save the file as UTF-8',
    'byte 4 of its field 1, 0xE9, is no UTF-8; save the file as UTF-8',
  ]);
  expect((await rowsOf(Buffer.from(caption + 'a.jpg,x\xed\xa0\x80y\nb.jpg,y', 'latin1'))).rows).toEqual([
    ['b.jpg', 'y'],
  ]);
  await expect(rowsOf(Buffer.from('image,légende\na,b\n', 'latin1'))).rejects.toThrow(
    /line 1: the header cannot be read because byte 2 of its field 2/,
  );
});

test('a quote that opens by mistake costs its own row, not those up to the next quote', async () => {
  const { rows, bad, reasons } = await rowsOf(`${caption}a.jpg,x\nb.jpg,"12 inch\nc.jpg,y\nd.jpg,"one" two\ne.jpg,z\n`);
  expect(rows).toEqual([
    ['a.jpg', 'x'],
    ['c.jpg', 'y'],
    ['d.jpg', 'one two'],
    ['e.jpg', 'z'],
  ]);
  expect(bad).toEqual([3]);
  expect(reasons[0]).toMatch(/closes in the middle of a later line/);
});

test('many such quotes take bounded time', async () => {
  const row = `"${'""\n'.repeat(20_000)}`;
  await rowsOf(`a\n${row.repeat(12)}" x\n`).catch((error: unknown) =>
    expect(error).toMatchObject({ code: 'ERR_DATA' }),
  );
}, 20_000);

test('a file without a header is read with the names given', async () => {
  const { header, rows, lines } = await rowsOf('a cat\ta.jpg\na dog\tb.jpg\n', '\t', ['caption', 'image']);
  expect([header, rows, lines]).toEqual([
    ['caption', 'image'],
    [
      ['a cat', 'a.jpg'],
      ['a dog', 'b.jpg'],
    ],
    [1, 2],
  ]);
});

test('where a chunk of the file ends makes no difference', async () => {
  const text = Array.from(
    { length: 40_000 },
    (_, i) => `${i}.jpg,${['"a, ""b""\r\nc"', 'é plain', 'x "y"', '"z" q'][i % 4]}\r\n`,
  );
  const { rows, bad } = await rowsOf(caption + text.join(''));
  const captions = ['a, "b"\r\nc', 'é plain', 'x "y"', 'z q'];
  expect(bad).toEqual([]);
  expect(rows).toEqual(text.map((_, i) => [`${i}.jpg`, captions[i % 4]]));
});

test.each([
  [Buffer.from('\xff\xfe\0\0a\0\0\0', 'latin1'), /UTF-32; save it as UTF-8/],
  [utf16, /UTF-16 without a byte order mark/],
  [
    Buffer.concat([Buffer.from([0xff, 0xfe]), utf16, Buffer.from([0, 0xd8, 0x20, 0])]),
    /has a byte order mark of UTF-16, but is not valid UTF-16/,
  ],
])('other encodings are refused (%#)', async (bytes, message) => {
  await expect(rowsOf(bytes)).rejects.toMatchObject({ code: 'ERR_DATA', message: expect.stringMatching(message) });
});

test('a row with more or fewer fields than the header is a bad row', async () => {
  const { rows, bad } = await rowsOf('a,b\n1,2\n1,2,3\n4\n5,6\n');
  expect(rows).toEqual([
    ['1', '2'],
    ['5', '6'],
  ]);
  expect(bad).toEqual([3, 4]);
});

test.each([
  ['a,b\n1,2\n3,"four', /line 3: the row that begins here has a quote that is never closed/],
  [`a,b\n1,2\n1,${'x'.repeat(1_200_000)}\n3,4\n`, /line 3: the row that begins here is longer than 1048576 bytes/],
  [`a,b\n1,"${'x'.repeat(1 << 20)}\n`, /line 2: .* longer than 1048576 bytes, .* never closed/],
  ['', /is empty: expected a header row/],
  ['\n\n', /is empty: expected a header row/],
])('malformed text is refused with the line of the row (%#)', async (text, message) => {
  await expect(rowsOf(text)).rejects.toMatchObject({ code: 'ERR_DATA', message: expect.stringMatching(message) });
});

test('a missing file, a folder and a long delimiter are refused', async () => {
  const folder = temporaryFolder();
  const read = (file: string, delimiter = ','): Promise<void> =>
    readCsv(
      file,
      { delimiter },
      () => () => {},
      () => {},
    );
  await expect(read(join(folder, 'no.csv'))).rejects.toThrow(/no\.csv', but there is no such file/);
  await expect(read(folder)).rejects.toThrow(/is a folder/);
  await expect(read(folder, '||')).rejects.toMatchObject({
    code: 'ERR_OPTION',
    message: expect.stringContaining('--delimiter'),
  });
});

test('an error thrown for a row ends the reading and comes out as it is', async () => {
  const file = join(temporaryFolder({ 'a.csv': `a\n${'1\n'.repeat(100_000)}` }), 'a.csv');
  let rows = 0;
  const reading = readCsv(
    file,
    { delimiter: ',' },
    () => () => {
      if (++rows === 3) throw new RangeError('enough');
    },
    () => {},
  );
  await expect(reading).rejects.toThrow('enough');
  expect(rows).toBe(3);
});
