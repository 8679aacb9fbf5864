import type { Clip } from '../clip/model';
import { normalize } from '../clip/preprocess';
import type { Batch } from '../data/batch';
import { PairLoader } from '../data/loader';
import type { PairTable } from '../data/pairs';
import type { TrainOptions } from '../options/train';
import { torch, type Tensor } from '../torch';

/** Unit-norm features of B pairs, each [B, D]. */
export interface PairEmbeds {
  imageEmbeds: Tensor;
  textEmbeds: Tensor;
}

/**
 * Runs every pair of a table through the model, in eval mode and the order of the table, without gradients. Pairs whose image cannot be
 * read are left out.
 * @param use gets the features of a batch, inside a tidy scope
 */
export async function embedPairs(
  clip: Clip,
  table: PairTable,
  { batchSize, numWorkers, compat }: TrainOptions,
  { device, signal }: { device: string; signal?: AbortSignal },
  use: (embeds: PairEmbeds, batch: Batch) => void,
): Promise<void> {
  const { imageSize: size, contextLength } = clip.config;
  const loader = new PairLoader(table, { batchSize, numWorkers, size, contextLength, shuffle: false, dropLast: false, compat: compat === 'reference' });
  clip.eval();
  try {
    for await (const batch of loader.epoch(0, { signal })) {
      torch.tidy(() => torch.noGrad(() => use(clip.forward(batch.ids.to({ device }), normalize(batch.pixels.to({ device }))), batch)));
      batch.dispose();
    }
  } finally {
    await loader.close();
  }
}
