import type { Clip } from '../clip/model';
import type { PairTable } from '../data/pairs';
import { contrastiveLoss } from '../losses';
import type { BatchOptions } from '../options/slices';
import { sumOverRanks } from '../run/ranks';
import { embedPairs, type PairHooks } from './embed_pairs';

/**
 * Computes the validation loss: the symmetric cross entropy, summed within batches of `batchSize`, divided by the
 * number of pairs.
 * @throws CleanclipError as {@link embedPairs}
 */
export async function validationLoss(
  clip: Clip,
  pairs: PairTable,
  options: BatchOptions,
  hooks: PairHooks,
): Promise<number> {
  const own = { sum: 0, count: 0 };
  await embedPairs(clip, pairs, options, hooks, ({ imageEmbeds, textEmbeds }, rows) => {
    own.sum += contrastiveLoss(imageEmbeds, textEmbeds, clip.logitScale.exp(), 'sum').item();
    own.count += rows.length;
  });
  const { sum, count } = await sumOverRanks(own);
  return sum / count;
}
