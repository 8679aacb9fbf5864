import type { Clip } from '../clip/model';
import { normalize } from '../clip/preprocess';
import { PairLoader } from '../data/loader';
import type { PairTable } from '../data/pairs';
import { ownBatches } from '../data/sampler';
import type { TrainOptions } from '../options/train';
import { ranks } from '../ranks';
import { torch, type Tensor } from '../torch';

/** Unit-norm features of B pairs, each [B, D]. */
export interface PairEmbeds {
  imageEmbeds: Tensor;
  textEmbeds: Tensor;
}

/**
 * Runs every pair of a table through the model, in eval mode and the order of the table, without gradients. Pairs whose image cannot be
 * read are left out. Of several ranks each has some of the batches.
 * @param use gets the features of a batch and their rows in the table, inside a tidy scope
 */
export async function embedPairs(
  clip: Clip,
  table: PairTable,
  { batchSize, numWorkers, compat }: TrainOptions,
  { device, signal }: { device: string; signal?: AbortSignal },
  use: (embeds: PairEmbeds, rows: Int32Array) => void,
): Promise<void> {
  const { imageSize: size, contextLength } = clip.config;
  const own = ownBatches(table.length, batchSize, ranks());
  if (own.length === 0) return;
  const loader = new PairLoader(table.select(own), { batchSize, numWorkers, size, contextLength, shuffle: false, dropLast: false, compat: compat === 'reference' });
  clip.eval();
  try {
    for await (const batch of loader.epoch(0, { signal })) {
      torch.tidy(() => torch.noGrad(() => use(clip.forward(batch.ids.to({ device }), normalize(batch.pixels.to({ device }))), batch.rows.map((row) => own[row]))));
      batch.dispose();
    }
  } finally {
    await loader.close();
  }
}
