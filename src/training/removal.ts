import { dirname, join } from 'node:path';

import type { Clip } from '../clip/model';
import { writeCsv } from '../data/csv_writer';
import type { PairTable } from '../data/pairs';
import { dataError } from '../errors';
import { embedPairs, type PairHooks } from '../evaluation/embed_pairs';
import type { TrainOptions } from '../options/train';
import { fromAllRanks, fromFirstRank } from '../run/ranks';

/** What one removal did. */
export interface Removal {
  /** the csv of the pairs that are kept */
  path: string;
  /** the same pairs: rows of the table before */
  kept: number[];
  /** how many pairs were dropped, and how many of them were poisoned */
  removed: number;
  removedBackdoor: number;
  /** how many were poisoned before */
  totalBackdoor: number;
}

/** The csv that the removal after an epoch writes: `<name>_<epoch>.csv` beside the training data. */
export function removalPath({ trainData, name }: TrainOptions, epoch: number): string {
  return join(dirname(trainData!), `${name.replaceAll(/[/\\]/g, '-')}_${epoch}.csv`);
}

/**
 * One step of progressive removal: scores every pair by s·cos(I, T), the similarity that a backdoor makes high, and
 * writes all but the `removeFraction` of highest score to {@link removalPath}, highest first, with columns for
 * `is_backdoor` and `score`. Pairs whose image cannot be read are left out, or refused with `strict`. Of several ranks
 * each scores a part, and the first writes.
 */
export async function removeMostSimilar(
  clip: Clip,
  table: PairTable,
  options: TrainOptions,
  epoch: number,
  hooks: PairHooks,
): Promise<Removal> {
  const scores = (await fromAllRanks(await similarities(clip, table, options, hooks))).flat();
  if (scores.some(([, score]) => Number.isNaN(score)))
    throw dataError('A similarity is NaN, so no pairs can be removed; start from another checkpoint.');
  const ranked = scores.sort(([a, x], [b, y]) => y - x || a - b);
  const removed = Math.floor(options.removeFraction * ranked.length);
  const backdoors = (rows: [number, number][]): number => rows.filter(([row]) => table.isBackdoor(row)).length;

  const path = removalPath(options, epoch);
  const kept = ranked.slice(removed);
  function* fields(): Iterable<(string | number)[]> {
    for (const [row, score] of kept)
      yield [table.imageField(row), table.caption(row), Number(table.isBackdoor(row)), score];
  }
  await fromFirstRank(() =>
    writeCsv(path, [options.imageKey, options.captionKey, 'is_backdoor', 'score'], fields(), options.delimiter),
  );
  return {
    path,
    kept: kept.map(([row]) => row),
    removed,
    removedBackdoor: backdoors(ranked.slice(0, removed)),
    totalBackdoor: backdoors(ranked),
  };
}

/** The scaled similarity of image and caption of each pair that is this rank's to score, and its row. */
async function similarities(
  clip: Clip,
  table: PairTable,
  options: TrainOptions,
  hooks: PairHooks,
): Promise<[row: number, score: number][]> {
  const scores: [number, number][] = [];
  await embedPairs(clip, table, options, hooks, ({ imageEmbeds, textEmbeds }, rows) => {
    const cosines = imageEmbeds.mul(textEmbeds).sum([1]); // [B]
    const scaled = cosines.mul(clip.logitScale.exp()).to('float32').toArray() as number[];
    scaled.forEach((score, i) => scores.push([rows[i], score]));
  });
  return scores;
}
