import { join } from 'node:path';

import { hasWord, selectRows } from '../../src/backdoor/selection';
import { type PairTable, readPairs } from '../../src/data/pairs';
import { temporaryFolder } from '../data/temporary';

const captions = ['a banana', 'Banana!', 'bananas', 'a bananaphone', 'fig', 'fig', 'fig', 'fig', 'fig', 'fig'];
let table: PairTable;
beforeAll(async () => {
  const text = `image,caption\n${captions.map((caption, i) => `${i}.png,${caption}\n`).join('')}`;
  table = await readPairs(join(temporaryFolder({ 'train.csv': text }), 'train.csv'));
});

test.each([
  ['a banana.', 'banana', true],
  ['BANANA', 'banana', true],
  ['"banana"s', 'banana', true],
  ['bananas', 'banana', false],
  ['a bananaphone', 'banana', false],
  ['a hot dog stand', 'hot dog', true],
  ['una piña', 'pi', false],
  ['c++ code', 'c++', true],
])('%j has the word %s: %p', (text, word, has) => {
  expect(hasWord(text, word)).toBe(has);
});

test('every row at most once, as many as asked for, the untouched in order', () => {
  const { poisoned, spare, untouched: untouchedBy } = selectRows(table, 8, 3, 7);
  const untouched = untouchedBy(poisoned);
  expect(new Set([...poisoned, ...spare]).size).toBe(table.length);
  expect(poisoned).toHaveLength(3);
  expect(untouched).toHaveLength(5);
  expect(new Set([...poisoned, ...untouched]).size).toBe(8);
  expect(untouched).toEqual([...untouched].sort((a, b) => a - b));
});

test('the seed decides', () => {
  const [one, other] = [1, 2].map(() => selectRows(table, 8, 3, 7));
  expect({ ...one, untouched: one.untouched(one.poisoned) }).toEqual({
    ...other,
    untouched: other.untouched(other.poisoned),
  });
  const picks = [1, 2, 3, 4, 5].map((seed) => selectRows(table, 8, 3, seed).poisoned.join());
  expect(new Set(picks).size).toBeGreaterThan(1);
});

test('with a word only rows that have it are poisoned, and the others may be kept', () => {
  const { poisoned, untouched: untouchedBy } = selectRows(table, 10, 2, 0, 'banana');
  const untouched = untouchedBy(poisoned);
  expect([...poisoned].sort()).toEqual([0, 1]);
  expect(untouched).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
});

test.each([
  [11, 1, undefined, 'ERR_OPTION', /--size_train_data is 11.* 10 usable rows/],
  [5, 6, undefined, 'ERR_OPTION', /--num_backdoor is 6.* 5 rows/],
  [10, 3, 'banana', 'ERR_DATA', /--num_backdoor is 3, but only 2 captions contain the word "banana"/],
])('%d rows with %d poisoned is refused (word: %s)', (size, count, word, code, message) => {
  expect(() => selectRows(table, size, count, 0, word)).toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(message) }),
  );
});
