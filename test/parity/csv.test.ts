import { RowSplitter } from '../../src/data/csv_rows';
import { CleanclipError } from '../../src/errors';
import { Random } from '../../src/random';
import { python } from './python';

const pieces = ['x', 'é', '漢', ' ', '\t', '"', '""', 'a b', '5"', '\\', "'", '0'];
const inQuotes = [...pieces.filter((piece) => piece !== '"'), ',', '\n', '\r\n', '\r'];
const ends = ['\n', '\r\n', '\r'];

function field(random: Random): string {
  const some = (from: string[], most: number): string =>
    Array.from({ length: random.int(most) }, () => random.choice(from)).join('');
  if (random.int(2) === 0) return some(pieces, 4);
  return `"${some(inQuotes, 5)}"${
    random.int(4) === 0
      ? some(
          pieces.filter((piece) => piece[0] !== '"'),
          3,
        )
      : ''
  }`;
}

function rowsHere(text: string): { rows: string[][]; bad: number } | undefined {
  const rows: string[][] = [];
  let bad = 0;
  const splitter = new RowSplitter(
    'a.csv',
    ',',
    0,
    (fields) => rows.push([...fields]),
    () => bad++,
  );
  try {
    splitter.push(Buffer.from(text), false);
    splitter.push(Buffer.alloc(0), true);
    return { rows: rows.slice(1), bad };
  } catch (error) {
    if (error instanceof CleanclipError) return undefined;
    throw error;
  }
}

test('1,500 files of odd quotes and line ends have the rows that pandas reads', () => {
  const random = new Random(7);
  const texts = Array.from({ length: 1500 }, () => {
    const rows = Array.from(
      { length: 1 + random.int(4) },
      () => `${field(random)},${field(random)}${random.choice(ends)}`,
    );
    return `a,b${random.choice(ends)}${rows.join('')}`;
  });
  const expected = python('csv_rows.py', { texts }) as (string[][] | null)[];
  const ours = texts.map(rowsHere);
  // Where one of both refuses, or a row is left out, or its number of fields is another, there is nothing to compare.
  const compared = texts.flatMap((text, i) => {
    const [here, there] = [ours[i], expected[i]];
    const whole = here !== undefined && there !== null && here.bad === 0 && here.rows.every((row) => row.length === 2);
    return whole ? [{ text, here: here.rows, there }] : [];
  });
  expect(compared.length).toBeGreaterThan(800);
  expect(compared.filter(({ here, there }) => JSON.stringify(here) !== JSON.stringify(there))).toEqual([]);
});
