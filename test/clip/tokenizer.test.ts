import fc from 'fast-check';
import { encode } from '../../src/clip/bpe';
import { tokenIds } from '../../src/clip/tokenizer';

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
    expect(Array.from(tokenIds(['a', '', 'cat'], 4), Number)).toEqual([49406, 320, 49407, 0, 49406, 49407, 0, 0, 49406, 2368, 49407, 0]);
    expect(tokenIds([])).toHaveLength(0);
  });

  test('cuts a long text and keeps the end token last; compat cuts only', () => {
    const long = 'cat '.repeat(100);
    expect(Array.from(tokenIds([long], 5), Number)).toEqual([49406, 2368, 2368, 2368, 49407]);
    expect(Array.from(tokenIds([long], 5, { compat: true }), Number)).toEqual([49406, 2368, 2368, 2368, 2368]);
    expect(Array.from(tokenIds(['cat cat cat'], 5), Number)).toEqual([49406, 2368, 2368, 2368, 49407]);
  });

  test('splits endings, digits and signs; knows the special tokens', () => {
    expect(ids("it's 2024")).toEqual([49406, ...['it', "'s", '2', '0', '2', '4'].flatMap((piece) => encode(piece)), 49407]);
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
    expect(() => tokenIds(['a'], length)).toThrow(/contextLength must be a whole number of at least 2/);
  });

  test('refuses what is not text', () => {
    expect(() => tokenIds(['a', undefined as unknown as string])).toThrow(/text 1 is of type undefined/);
  });
});
