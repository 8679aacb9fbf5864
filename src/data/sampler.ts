import { torch } from '../torch';

/** How the rows of an epoch are ordered. */
export interface EpochOrder {
  seed: number;
  epoch: number;
  /** false: 0, 1, 2, … */
  shuffle: boolean;
}

/**
 * The order in which an epoch visits `n` rows: that of PyTorch's `DistributedSampler` with one replica, which is
 * `torch.randperm(n)` of a generator seeded with seed + epoch.
 */
export function epochOrder(n: number, { seed, epoch, shuffle }: EpochOrder): Int32Array {
  if (!shuffle) return Int32Array.from({ length: n }, (_, i) => i);
  return torch.tidy(
    () => torch.randperm(n, { generator: new torch.Generator(seed + epoch), dtype: 'int32' }).data() as Int32Array,
  );
}

/** How many batches `n` rows make. */
export const batchCount = (n: number, batchSize: number, dropLast: boolean): number =>
  dropLast ? Math.floor(n / batchSize) : Math.ceil(n / batchSize);

/** Batch `index` of an order: `batchSize` rows, fewer only in a last batch that is not dropped. */
export const batchRows = (order: Int32Array, batchSize: number, index: number): Int32Array =>
  order.subarray(index * batchSize, (index + 1) * batchSize);
