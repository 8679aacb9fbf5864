import { dirname, join } from 'node:path';

import type { Clip } from '../clip/model';
import { writeCsv } from '../data/csv_writer';
import type { PairTable } from '../data/pairs';
import { dataError } from '../errors';
import { embedPairs } from '../evaluation/embed_pairs';
import type { TrainOptions } from '../options/train';

/** What one removal did. */
export interface Removal {
  /** the csv of the pairs that are kept */
  path: string;
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
 * One step of progressive removal: scores every pair by s·cos(I, T), the similarity that a backdoor makes high, and writes all but
 * the `removeFraction` of highest score to {@link removalPath}, highest first, with columns for `is_backdoor` and `score`.
 * Pairs whose image cannot be read are left out.
 */
export async function removeMostSimilar(
  clip: Clip,
  table: PairTable,
  options: TrainOptions,
  run: { epoch: number; device: string; signal?: AbortSignal },
): Promise<Removal> {
  const scores = await similarities(clip, table, options, run);
  const ranked = [...scores].sort(([a, x], [b, y]) => y - x || a - b);
  const removed = Math.floor(options.removeFraction * ranked.length);
  const backdoors = (rows: [number, number][]): number => rows.filter(([row]) => table.isBackdoor(row)).length;

  const path = removalPath(options, run.epoch);
  function* kept(): Iterable<(string | number)[]> {
    for (const [row, score] of ranked.slice(removed)) {
      yield [table.imageField(row), table.caption(row), Number(table.isBackdoor(row)), score];
    }
  }
  writeCsv(path, [options.imageKey, options.captionKey, 'is_backdoor', 'score'], kept(), options.delimiter);
  return { path, removed, removedBackdoor: backdoors(ranked.slice(0, removed)), totalBackdoor: backdoors(ranked) };
}

/** The scaled similarity of each pair's image and caption, by row. */
async function similarities(
  clip: Clip,
  table: PairTable,
  options: TrainOptions,
  run: { device: string; signal?: AbortSignal },
): Promise<Map<number, number>> {
  const scores = new Map<number, number>();
  await embedPairs(clip, table, options, run, ({ imageEmbeds, textEmbeds }, { rows }) => {
    const cosines = imageEmbeds.mul(textEmbeds).sum([1]); // [B]
    const scaled = cosines.mul(clip.logitScale.exp()).to('float32').toArray() as number[];
    scaled.forEach((score, i) => scores.set(rows[i], score));
  });
  if ([...scores.values()].some(Number.isNaN)) throw dataError('A similarity is NaN, so no pairs can be removed; start from another checkpoint.');
  return scores;
}
