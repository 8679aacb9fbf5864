import fc from 'fast-check';

import { encode } from '../../src/text/bpe';
import { cleanText } from '../../src/text/cleaning';
import { mergeLong } from '../../src/text/merge_piece';
import { tokenIds } from '../../src/text/tokenizer';

const ids = (text: string, length?: number): number[] => {
  const all = Array.from(tokenIds([text], length), Number);
  return all.slice(0, all.indexOf(49407) + 1);
};

describe('tokenIds', () => {
  test('frames the tokens and pads with zeros', () => {
    const row = Array.from(tokenIds(['a photo of a cat']), Number);
    expect(row).toHaveLength(77);
    expect(row.slice(0, 8)).toEqual([49406, 320, 1125, 539, 320, 2368, 49407, 0]);
    expect(row.slice(8).every((id) => id === 0)).toBe(true);
  });

  test('lays texts out row by row', () => {
    expect(Array.from(tokenIds(['a', '', 'cat'], 4), Number)).toEqual([
      49406, 320, 49407, 0, 49406, 49407, 0, 0, 49406, 2368, 49407, 0,
    ]);
    expect(tokenIds([])).toHaveLength(0);
  });

  test('cuts a long text and keeps the end token last; compat cuts only', () => {
    const long = 'cat '.repeat(100);
    expect(Array.from(tokenIds([long], 5), Number)).toEqual([49406, 2368, 2368, 2368, 49407]);
    expect(Array.from(tokenIds([long], 5, { compat: true }), Number)).toEqual([49406, 2368, 2368, 2368, 2368]);
    expect(Array.from(tokenIds(['cat cat cat'], 5), Number)).toEqual([49406, 2368, 2368, 2368, 49407]);
  });

  test('splits endings, digits and signs; knows the special tokens', () => {
    expect(ids("it's 2024")).toEqual([
      49406,
      ...['it', "'s", '2', '0', '2', '4'].flatMap((piece) => encode(piece)),
      49407,
    ]);
    expect(encode('cat!!')).toEqual([...encode('cat'), ...encode('!!')]);
    expect(encode('<|startoftext|>a<|endoftext|>')).toEqual([49406, 320, 49407]);
  });

  test('any text gives ids of the vocabulary, never an end token inside', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const row = Array.from(tokenIds([text], 300), Number);
        const end = row.indexOf(49407);
        expect(row.slice(1, end).every((id) => id >= 0 && id < 49406)).toBe(true);
        expect(row.slice(end + 1).every((id) => id === 0)).toBe(true);
      }),
    );
  });

  test.each([1, 0, 2.5, NaN])('refuses a context length of %p', (length) => {
    expect(() => tokenIds(['a'], length)).toThrow(/contextLength must be an integer of at least 2/);
  });

  test('the heap of long words merges as rounds do', () => {
    // A made-up table of merges, in which tokens of letters and of pairs take part.
    fc.assert(
      fc.property(
        fc.array(fc.nat(3), { minLength: 1, maxLength: 80 }),
        fc.array(fc.tuple(fc.nat(20), fc.nat(20)), { maxLength: 40 }),
        (letters, pairs) => {
          const table = new Map<number, number>();
          pairs.forEach(([left, right], rank) => {
            const [a, b] = [left % (4 + rank), right % (4 + rank)]; // earlier tokens alone
            if (!table.has(a * 100 + b)) table.set(a * 100 + b, 4 + rank);
          });
          const mergeOf = (left: number, right: number): number | undefined => table.get(left * 100 + right);
          let expected = letters;
          for (;;) {
            const best = Math.min(...expected.slice(1).map((right, i) => mergeOf(expected[i], right) ?? Infinity));
            if (best === Infinity) break;
            const next: number[] = [];
            for (let i = 0; i < expected.length; i++) {
              const joins = i + 1 < expected.length && mergeOf(expected[i], expected[i + 1]) === best;
              next.push(joins ? best : expected[i]);
              if (joins) i++;
            }
            expected = next;
          }
          expect(mergeLong(letters, mergeOf)).toEqual(expected);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('long texts take time in proportion', () => {
    let state = 1;
    const random = Array.from({ length: 300_000 }, () =>
      String.fromCharCode(97 + (((state = Math.imul(state, 1103515245) + 12345) >>> 16) % 26)),
    ).join('');
    const begin = performance.now();
    expect(tokenIds([random])).toHaveLength(77);
    expect(cleanText(`&${'amp;'.repeat(250_000)}lt;`)).toBe('<');
    expect(cleanText(`&${'#38;#x26;AMP;'.repeat(50_000)}`)).toBe('&');
    expect(tokenIds(['1'.repeat(1_000_000)])).toHaveLength(77);
    expect(performance.now() - begin).toBeLessThan(30_000);
  });

  test('refuses what is not text', () => {
    expect(() => tokenIds(5 as never)).toThrow(/texts must be an array of strings, but is of type number/);
    expect(() => tokenIds(['a'], 77, null as never)).toThrow(/options of tokenIds/);
    expect(() => cleanText(5 as never)).toThrow(/must be a string, but is of type number/);
    expect(() => tokenIds(['a', undefined as unknown as string])).toThrow(/text 1 is of type undefined/);
  });
});
