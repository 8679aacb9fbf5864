import { eda as augment } from '../../../src/augment/eda';
import { synonyms as synonymsOf } from '../../../src/augment/wordnet';
import { Random } from '../../../src/random';
import { torch } from '../../../src/torch';
import { python } from '../python';
import { someWords, wordnetFolders } from '../words';
import type { Row } from './row';

/** 3 to 21 words, one a stop word (is); none is part of a synonym of another, so that what was inserted shows. */
const CAPTIONS = [
  'puppy kitten sofa',
  'puppy is behind old cottage window',
  'airplane boats houses airport clouds tower birds singing far evening',
  'children playing behind houses trees sky clouds birds singing river evening mountains boats far old tower ' +
    'window meadow cottage temple umbrella',
];
const DRAWS = 5000;

/**
 * What was done to a caption: the places of its own words, in their order now, and * for words that are not its own.
 */
function editOf(caption: string, edited: string): string {
  const own = caption.split(' ');
  const places = edited.split(' ').map((word) => (own.includes(word) ? own.indexOf(word) : '*'));
  return places.filter((place, i) => place !== '*' || places[i - 1] !== '*').join(' ');
}

/**
 * The probability that two samples of one size a group are as unlike, or more, if they come from one distribution
 * (Pearson's χ²).
 */
export function sameDistribution(ours: readonly string[], theirs: readonly string[]): number {
  const counts = new Map<string, [number, number]>();
  [ours, theirs].forEach((sample, side) => {
    for (const key of sample) {
      const both = counts.get(key) ?? [0, 0];
      both[side]++;
      counts.set(key, both);
    }
  });
  const common = [...counts.values()].filter(([a, b]) => a + b >= 20);
  const rare = [...counts.values()].filter(([a, b]) => a + b < 20).reduce(([a, b], [c, d]) => [a + c, b + d], [0, 0]);
  const cells = rare[0] + rare[1] > 0 ? [...common, rare] : common;
  const statistic = cells.reduce((sum, [a, b]) => sum + (a - b) ** 2 / (a + b), 0);
  return torch.tidy(() =>
    torch.ops.aten.special_gammaincc(torch.tensor((cells.length - 1) / 2), torch.tensor(statistic / 2)).item(),
  );
}

export const eda: Row = {
  name: 'eda',
  what:
    `edits of EDA over ${(CAPTIONS.length * DRAWS).toLocaleString('en')} draws: which words are replaced, ` +
    'inserted before, swapped, deleted (χ²)',
  reference: true,
  measure(against) {
    const theirs = python('eda.py', {
      captions: CAPTIONS,
      draws: DRAWS,
      wordnet: wordnetFolders,
      against,
    }) as string[][];
    const random = new Random(1);
    const ours = CAPTIONS.map((caption) => Array.from({ length: DRAWS }, () => augment(caption, { random })));
    const keyed = (samples: string[][], key: (caption: string, edited: string) => string): string[] =>
      samples.flatMap((sample, i) => sample.map((edited) => `${i}: ${key(CAPTIONS[i], edited)}`));
    const part = (name: string, key: (caption: string, edited: string) => string, note?: string) => ({
      part: `${name}, p`,
      cases: CAPTIONS.length * DRAWS,
      measured: sameDistribution(keyed(ours, key), keyed(theirs, key)),
      limit: 0.01,
      atLeast: true,
      note,
    });
    const whole = (_: string, edited: string): string => edited;
    if (against === 'reference')
      return [
        part(
          'edits',
          editOf,
          'Which synonym is inserted differs, as decided: any here, the first of an unordered set there.',
        ),
      ];
    return [part('edits', editOf), part('edits and the synonyms that they put', whole)];
  },
};

export const synonyms: Row = {
  name: 'synonyms',
  what: 'synonym sets of words over the same WordNet files, by NLTK',
  reference: true,
  measure(against) {
    const words = someWords();
    const theirs = python('synonyms.py', { ...wordnetFolders, words, against }) as string[][];
    const differing = words.filter((word, i) => [...synonymsOf(word)].sort().join() !== theirs[i].join());
    return [{ part: 'differing sets', cases: words.length, measured: differing.length, limit: 0 }];
  },
};
