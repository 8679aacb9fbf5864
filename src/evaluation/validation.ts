import type { Clip } from '../clip/model';
import { normalize } from '../clip/preprocess';
import type { PairLoader } from '../data/loader';
import { contrastiveLoss } from '../losses';
import { torch } from '../torch';

/**
 * The validation loss: the symmetric cross entropy summed within batches, divided by the number of pairs.
 * @param loader of the validation pairs: not shuffled, the last batch kept
 */
export async function validationLoss(clip: Clip, loader: PairLoader, device: string, signal?: AbortSignal): Promise<number> {
  let sum = 0;
  let pairs = 0;
  for await (const batch of loader.epoch(0, { signal })) {
    sum += torch.tidy(() =>
      torch.noGrad(() => {
        const { imageEmbeds, textEmbeds } = clip.forward(batch.ids.to({ device }), normalize(batch.pixels.to({ device })));
        return contrastiveLoss(imageEmbeds, textEmbeds, clip.logitScale.exp(), 'sum').item();
      }),
    );
    pairs += batch.rows.length;
    batch.dispose();
  }
  return sum / pairs;
}
