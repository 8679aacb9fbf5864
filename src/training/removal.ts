import { join } from 'node:path';

import type { Clip } from '../clip/model';
import { writeCsv } from '../data/csv_writer';
import { pairColumns, pairFields, type PairTable } from '../data/pairs';
import { pairFolder } from '../data/shard_files';
import { dataError } from '../errors';
import { embedPairs, type PairHooks } from '../evaluation/embed_pairs';
import type { RemovalOptions } from '../options/slices';
import { fromAllRanks, fromFirstRank } from '../run/ranks';

/** The result of one removal. */
export interface Removal {
  /** path of the csv of the pairs that are kept */
  path: string;
  /** indices of these pairs in the table before the removal */
  kept: number[];
  /** number of pairs that were dropped */
  removed: number;
  /** number of these that were poisoned */
  removedBackdoor: number;
  /** number of poisoned pairs before the removal */
  totalBackdoor: number;
}

/**
 * Returns the path of the csv that the removal after an epoch writes: `<name>_<epoch>.csv` beside the training data.
 */
export function removalPath({ trainData, name }: Pick<RemovalOptions, 'trainData' | 'name'>, epoch: number): string {
  return join(pairFolder(trainData!), `${name.replaceAll(/[/\\]/g, '-')}_${epoch}.csv`);
}

/**
 * Does one step of progressive removal. It scores every pair by s·cos(I, T), the similarity that a backdoor makes high,
 * and drops the `removeFraction` of highest score. It writes the rest to {@link removalPath}, highest first, with
 * columns for `is_backdoor` and `score`. Pairs whose image cannot be read are left out, or refused with `strict`. With
 * several ranks each scores a part, and the first writes.
 * @throws CleanclipError `ERR_DATA` when a similarity is NaN, the csv cannot be written, or as {@link embedPairs}
 */
export async function removeMostSimilar(
  clip: Clip,
  table: PairTable,
  options: RemovalOptions,
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
    for (const [row, score] of kept) yield [...pairFields(table, row), score];
  }
  await fromFirstRank(() => writeCsv(path, [...pairColumns(table, options), 'score'], fields(), options.delimiter));
  return {
    path,
    kept: kept.map(([row]) => row),
    removed,
    removedBackdoor: backdoors(ranked.slice(0, removed)),
    totalBackdoor: backdoors(ranked),
  };
}

/** Computes the row and the scaled similarity of image and caption for each pair that this rank scores. */
async function similarities(
  clip: Clip,
  table: PairTable,
  options: RemovalOptions,
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
