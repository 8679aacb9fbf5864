import { checkText } from '../errors';
import { checkInteger } from '../integers';
import { Random } from '../random';
import { synonyms } from './wordnet';

/** The share of words that an edit touches. */
const ALPHA = 0.1;

const STOP_WORDS = new Set(
  (
    'i me my myself we our ours ourselves you your yours yourself yourselves he him his himself she her hers ' +
    'herself it its ' +
    'itself they them their theirs themselves what which who whom this that these those am is are was were be ' +
    'been being have ' +
    'has had having do does did doing a an the and but if or because as until while of at by for with about ' +
    'against between ' +
    'into through during before after above below to from up down in out on off over under again further then ' +
    'once here there ' +
    'when where why how all any both each few more most other some such no nor not only own same so than too very ' +
    's t can will ' +
    'just don should now'
  ).split(' '),
);

/** An edit of a list of at least one word; `count` is the number of times that it is applied. */
type Edit = (words: readonly string[], count: number, random: Random) => string[];

/**
 * Replaces `count` distinct words that have synonyms and are not stop words. Every occurrence of a word is replaced.
 */
export const replaceWithSynonyms: Edit = (words, count, random) => {
  const candidates = random.shuffle([...new Set(words)].filter((word) => !STOP_WORDS.has(word)));
  const chosen = candidates.filter((word) => synonyms(word).length > 0).slice(0, count);
  const replacements = new Map(chosen.map((word) => [word, random.choice(synonyms(word))]));
  return words.map((word) => replacements.get(word) ?? word);
};

/**
 * Inserts a synonym of a random word before a random word, `count` times. Up to ten words are tried until one has
 * synonyms.
 */
export const insertSynonyms: Edit = (words, count, random) => {
  const edited = [...words];
  for (let n = 0; n < count; n++) {
    for (let attempt = 0; attempt < 10; attempt++) {
      const found = synonyms(random.choice(edited));
      if (found.length === 0) continue;
      edited.splice(random.int(edited.length), 0, random.choice(found));
      break;
    }
  }
  return edited;
};

/** Swaps two different random words, `count` times. */
export const swapWords: Edit = (words, count, random) => {
  const edited = [...words];
  if (edited.length === 1) return edited;
  for (let n = 0; n < count; n++) {
    const i = random.int(edited.length);
    const j = (i + 1 + random.int(edited.length - 1)) % edited.length;
    [edited[i], edited[j]] = [edited[j], edited[i]];
  }
  return edited;
};

/** Deletes each word with probability 0.1. If no word is left, a random one is kept. */
export const deleteWords: Edit = (words, _count, random) => {
  const kept = words.filter(() => random.next() > ALPHA);
  return kept.length > 0 ? kept : [random.choice(words)];
};

const EDITS = [replaceWithSynonyms, insertSynonyms, swapWords, deleteWords];

/** The words that EDA edits: runs of a–z in the lower-case text without its apostrophes. */
const wordsOf = (text: string): string[] =>
  text
    .replace(/['’]/g, '')
    .toLowerCase()
    .match(/[a-z]+/g) ?? [];

/**
 * Augments a caption by easy data augmentation (EDA, Wei & Zou 2019), which makes CleanCLIP's text view. It applies one
 * of four edits, each with probability 1/4: synonym replacement, random insertion, random swap or random deletion. The
 * first three edit a tenth of the words, at least one; deletion drops each word with probability 0.1. Synonyms come
 * from WordNet.
 *
 * @param text a caption
 * @param options.seed an integer; the same seed gives the same result; default: a random one
 * @param options.random generator of the choices; default: a new one, seeded with `seed`
 * @returns lower-case words of a–z, joined by spaces; a text without letters a–z is returned unchanged
 * @throws {CleanclipError} `ERR_OPTION` when `text` is not a string or `seed` not an integer
 * @example
 * ```ts
 * eda('a small dog runs on the beach', { seed: 0 });
 * ```
 */
export function eda(text: string, options: { seed?: number; random?: Random } = {}): string {
  checkText('The text of eda', text);
  const { seed = Math.floor(Math.random() * 2 ** 32) } = options;
  checkInteger('seed', seed);
  const words = wordsOf(text);
  if (words.length === 0) return text;
  const random = options.random ?? new Random(seed);
  const count = Math.max(1, Math.floor(ALPHA * words.length));
  const edited = random.choice(EDITS)(words, count, random);
  return wordsOf(edited.join(' ')).join(' ');
}
