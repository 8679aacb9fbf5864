import { torch } from '../torch';

/** Which of the ranks that share the rows this is. */
export interface Shard {
  rank: number;
  worldSize: number;
}

/** Of one process, which has all rows. */
export const WHOLE: Shard = { rank: 0, worldSize: 1 };

/** How the rows of an epoch are ordered. */
export interface EpochOrder {
  seed: number;
  epoch: number;
  /** false: 0, 1, 2, … */
  shuffle: boolean;
  /** default {@link WHOLE} */
  shard?: Shard;
}

/**
 * The order in which an epoch visits a rank's part of `n` rows: that of PyTorch's `DistributedSampler`,
 * `torch.randperm(n)` of a generator seeded with seed + epoch, of which rank r of W takes every W-th from the r-th on.
 * What is missing to a multiple of W is taken from the beginning once more. So batch i of all ranks together has the
 * rows of batch i of one process, as long as no row comes twice.
 */
export function epochOrder(n: number, { seed, epoch, shuffle, shard = WHOLE }: EpochOrder): Int32Array {
  const order = shuffle ? permutation(n, seed + epoch) : Int32Array.from({ length: n }, (_, i) => i);
  const { rank, worldSize } = shard;
  if (worldSize === 1) return order;
  return Int32Array.from({ length: shardLength(n, shard) }, (_, i) => order[(rank + i * worldSize) % n]);
}

const permutation = (n: number, seed: number): Int32Array =>
  torch.tidy(() => torch.randperm(n, { generator: new torch.Generator(seed), dtype: 'int32' }).data() as Int32Array);

/** How many of `n` rows a rank has: the same number on each. */
export const shardLength = (n: number, { worldSize }: Shard): number => Math.ceil(n / worldSize);

/**
 * The rows of the batches that a rank measures of `n` rows in order: batch i is rank (i mod W)'s, no row comes twice,
 * and the batches are those of one process. It may be none.
 */
export function ownBatches(n: number, batchSize: number, { rank, worldSize }: Shard): Int32Array {
  const own = (row: number): boolean => Math.floor(row / batchSize) % worldSize === rank;
  return Int32Array.from({ length: n }, (_, row) => row).filter(own);
}

/** How many batches `n` rows make. */
export const batchCount = (n: number, batchSize: number, dropLast: boolean): number =>
  dropLast ? Math.floor(n / batchSize) : Math.ceil(n / batchSize);

/** Batch `index` of an order: `batchSize` rows, fewer only in a last batch that is not dropped. */
export const batchRows = (order: Int32Array, batchSize: number, index: number): Int32Array =>
  order.subarray(index * batchSize, (index + 1) * batchSize);
