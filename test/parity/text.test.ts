import { synonyms } from '../../src/augment/wordnet';
import { cleanText } from '../../src/text/cleaning';
import { tokenIds } from '../../src/text/tokenizer';
import { captions } from './captions';
import { python } from './python';
import { someWords, wordnetFolders } from './words';

describe('text as the Python stack (ftfy, html, regex, BPE) reads it', () => {
  const length = 77;
  const given = captions(2500, 3);
  let expected: { texts: string[]; ids: number[][] };

  beforeAll(() => {
    expected = python('text.py', { captions: given, context_length: length }) as typeof expected;
  });

  test('2,500 captions are cleaned alike', () => {
    const differing = given.map((caption, i) => ({ caption, ours: cleanText(caption), python: expected.texts[i] }));
    expect(differing.filter(({ ours, python }) => ours !== python)).toEqual([]);
  });

  test('their token ids are equal', () => {
    const ids = tokenIds(given, length, { compat: true });
    const rows = given.map((_, i) => Array.from(ids.subarray(i * length, (i + 1) * length), Number));
    expect(rows).toEqual(expected.ids);
  });
});

describe('synonyms', () => {
  test('equal those of NLTK over the same files', () => {
    const words = someWords();
    const expected = python('synonyms.py', { ...wordnetFolders, words }) as string[][];
    expect(words.length).toBeGreaterThan(8000);
    expect(Object.fromEntries(words.map((word) => [word, [...synonyms(word)].sort()]))).toEqual(
      Object.fromEntries(words.map((word, i) => [word, expected[i]])),
    );
  });
});
