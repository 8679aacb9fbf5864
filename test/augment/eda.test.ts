import fc from 'fast-check';

import { deleteWords, eda, insertSynonyms, replaceWithSynonyms, swapWords } from '../../src/augment/eda';
import { synonyms } from '../../src/augment/wordnet';
import { Random } from '../../src/random';

const caption = 'a small child plays with two dogs on the sandy beach';
const words = caption.split(' ');
const sorted = (text: string): string => text.split(' ').sort().join(' ');

describe('eda', () => {
  test('is repeatable by seed and by generator', () => {
    const seeds = Array.from({ length: 50 }, (_, i) => i);
    expect(seeds.map((seed) => eda(caption, { seed }))).toEqual(seeds.map((seed) => eda(caption, { seed })));
    expect(eda(caption, { random: new Random(7) })).toBe(eda(caption, { seed: 7 }));
    expect(new Set(seeds.map((seed) => eda(caption, { seed }))).size).toBeGreaterThan(20);
  });

  test('does each of the four edits as often as the others', () => {
    const counts = { swap: 0, deletion: 0, insertion: 0, replacement: 0, none: 0 };
    const total = 4000;
    for (let seed = 0; seed < total; seed++) {
      const text = eda(caption, { seed });
      const kept = words.filter((word) => text.split(' ').includes(word)).length;
      if (text === caption) counts.none++;
      else if (sorted(text) === sorted(caption)) counts.swap++;
      else if (kept === words.length) counts.insertion++;
      else if (text.split(' ').every((word) => words.includes(word))) counts.deletion++;
      else counts.replacement++;
    }
    const quarter = total / 4;
    const nothingDeleted = quarter * 0.9 ** words.length;
    const near = (count: number, expected: number): void =>
      expect(Math.abs(count - expected)).toBeLessThan(4 * Math.sqrt(quarter));
    near(counts.swap, quarter);
    near(counts.insertion, quarter);
    near(counts.replacement, quarter);
    near(counts.deletion, quarter - nothingDeleted);
    near(counts.none, nothingDeleted);
  });

  test.each(['', '12345', '東京 2024', '!?'])('keeps %p, which has no letters a–z', (text) =>
    expect(eda(text, { seed: 1 })).toBe(text),
  );

  test('works on small letters; apostrophes vanish, other signs part words', () => {
    const texts = Array.from({ length: 40 }, (_, seed) => eda("It's a Black-White\tCat, isn’t it?", { seed }));
    expect(texts).toContain('its a black white cat isnt it');
  });

  test('any text gives words a–z joined by single spaces', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80 }), fc.integer(), (text, seed) => {
        const view = eda(text, { seed });
        expect(/[a-z]/i.test(text) ? /^[a-z]+( [a-z]+)*$/.test(view) : view === text).toBe(true);
      }),
    );
  });

  test('refuses a seed that is no integer', () => {
    expect(() => eda(caption, { seed: 0.5 })).toThrow('seed must be an integer, but is 0.5.');
  });
});

describe('the edits', () => {
  const seeds = Array.from({ length: 200 }, (_, i) => new Random(i));

  test('synonym replacement changes as many distinct words as asked, each by a synonym, never a stop word', () => {
    const stopWords = ['a', 'with', 'on', 'the'];
    for (const random of seeds) {
      const edited = replaceWithSynonyms(words, 2, random);
      const changed = words.filter((word, i) => edited[i] !== word);
      expect(changed).toHaveLength(2);
      expect(changed.filter((word) => stopWords.includes(word))).toEqual([]);
      words.forEach((word, i) => edited[i] !== word && expect(synonyms(word)).toContain(edited[i]));
    }
    expect(new Set(replaceWithSynonyms(['dog', 'dog'], 1, seeds[0])).size).toBe(1);
  });

  test('insertion adds synonyms of the words, never at the end', () => {
    const known = new Set(words.flatMap((word) => synonyms(word)));
    for (const random of seeds) {
      const edited = insertSynonyms(words, 1, random);
      expect(edited).toHaveLength(words.length + 1);
      expect(edited.at(-1)).toBe('beach');
      expect(edited.some((word) => known.has(word))).toBe(true);
    }
    expect(insertSynonyms(['xyzzyq'], 1, seeds[0])).toEqual(['xyzzyq']);
  });

  test('swap moves two words and keeps one alone', () => {
    for (const random of seeds) {
      const edited = swapWords(words, 1, random);
      expect(words.filter((word, i) => edited[i] !== word)).toHaveLength(2);
    }
    expect(swapWords(['dog'], 3, seeds[0])).toEqual(['dog']);
  });

  test('deletion takes a tenth on average and leaves a word', () => {
    const kept = seeds.map((random) => deleteWords(words, 1, random).length);
    const mean = kept.reduce((a, b) => a + b) / kept.length;
    expect(mean / words.length).toBeGreaterThan(0.87);
    expect(mean / words.length).toBeLessThan(0.93);
    for (const random of seeds) expect(deleteWords(['dog'], 1, random)).toEqual(['dog']);
  });
});
