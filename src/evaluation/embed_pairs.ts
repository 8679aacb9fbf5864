import { embedBatch, type Embeds } from '../clip/embed';
import type { Clip } from '../clip/model';
import { PairLoader } from '../data/loader';
import type { PairTable } from '../data/pairs';
import { ownBatches } from '../data/sampler';
import type { TrainOptions } from '../options/train';
import { ranks } from '../ranks';
import { torch } from '../torch';

/**
 * Runs every pair of a table through the model, in eval mode and the order of the table, without gradients. Pairs whose image cannot be
 * read are left out. Of several ranks each has some of the batches.
 * @param use gets the features of a batch and their rows in the table, inside a tidy scope
 */
export async function embedPairs(
  clip: Clip,
  table: PairTable,
  { batchSize, numWorkers, compat }: TrainOptions,
  signal: AbortSignal | undefined,
  use: (embeds: Embeds, rows: Int32Array) => void,
): Promise<void> {
  const { imageSize: size, contextLength } = clip.config;
  const own = ownBatches(table.length, batchSize, ranks());
  if (own.length === 0) return;
  const loader = new PairLoader(table.select(own), { batchSize, numWorkers, size, contextLength, shuffle: false, dropLast: false, compat: compat === 'reference' });
  clip.eval();
  try {
    for await (const batch of loader.epoch(0, { signal })) {
      const all = { start: 0, length: batch.rows.length };
      torch.tidy(() => torch.noGrad(() => use(embedBatch(clip, batch, all), batch.rows.map((row) => own[row]))));
      batch.dispose();
    }
  } finally {
    await loader.close();
  }
}
