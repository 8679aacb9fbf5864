import { checkText, optionError } from '../errors';
import { Random } from '../random';
import { show } from '../show';
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

/** An edit of a sentence of at least one word; `count` is how many times it is done. */
type Edit = (words: readonly string[], count: number, random: Random) => string[];

/** Replaces `count` distinct words that have synonyms, stop words excepted, each wherever it stands. */
export const replaceWithSynonyms: Edit = (words, count, random) => {
  const candidates = random.shuffle([...new Set(words)].filter((word) => !STOP_WORDS.has(word)));
  const chosen = candidates.filter((word) => synonyms(word).length > 0).slice(0, count);
  const replacements = new Map(chosen.map((word) => [word, random.choice(synonyms(word))]));
  return words.map((word) => replacements.get(word) ?? word);
};

/**
 * Inserts a synonym of a random word before a random word, `count` times; ten words are tried for one that has
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

/** Deletes each word with probability 0.1; one word always stays. */
export const deleteWords: Edit = (words, _count, random) => {
  const kept = words.filter(() => random.next() > ALPHA);
  return kept.length > 0 ? kept : [random.choice(words)];
};

const EDITS = [replaceWithSynonyms, insertSynonyms, swapWords, deleteWords];

/** The words EDA works on: runs of a–z in the lower-cased text; apostrophes vanish. */
const wordsOf = (text: string): string[] =>
  text
    .replace(/['’]/g, '')
    .toLowerCase()
    .match(/[a-z]+/g) ?? [];

/**
 * Easy data augmentation (Wei & Zou 2019) as CleanCLIP's text view uses it: one of synonym replacement, random
 * insertion, random swap and random deletion, each as likely as the others, touching a tenth of the words, at least
 * one.
 *
 * @param text a caption
 * @param options.seed a whole number: the same seed, the same result; by default results differ from call to call
 * @param options.random draws from this generator instead
 * @returns words a–z joined by spaces; a text without such letters unchanged
 * @throws {CleanclipError} `ERR_OPTION` when `seed` is not a whole number
 * @example
 * ```ts
 * eda('a small dog runs on the beach', { seed: 0 });
 * ```
 */
export function eda(text: string, options: { seed?: number; random?: Random } = {}): string {
  checkText('The text of eda', text);
  const { seed = Math.floor(Math.random() * 2 ** 32) } = options;
  if (!Number.isSafeInteger(seed)) throw optionError(`seed must be a whole number; got ${show(seed)}.`);
  const words = wordsOf(text);
  if (words.length === 0) return text;
  const random = options.random ?? new Random(seed);
  const count = Math.max(1, Math.floor(ALPHA * words.length));
  const edited = random.choice(EDITS)(words, count, random);
  return wordsOf(edited.join(' ')).join(' ');
}
