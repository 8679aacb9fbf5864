import type { Clip } from '../clip/model';
import type { PairTable } from '../data/pairs';
import { contrastiveLoss } from '../losses';
import type { TrainOptions } from '../options/train';
import { embedPairs } from './embed_pairs';

/** The validation loss: the symmetric cross entropy summed within batches of `batchSize`, divided by the number of pairs. */
export async function validationLoss(
  clip: Clip,
  pairs: PairTable,
  options: TrainOptions,
  run: { device: string; signal?: AbortSignal },
): Promise<number> {
  let sum = 0;
  let count = 0;
  await embedPairs(clip, pairs, options, run, ({ imageEmbeds, textEmbeds }, { rows }) => {
    sum += contrastiveLoss(imageEmbeds, textEmbeds, clip.logitScale.exp(), 'sum').item();
    count += rows.length;
  });
  return sum / count;
}
