import { torch } from '../torch';

/** The share of one rank in the rows of a set. */
export interface Shard {
  /** index of the rank, from 0 */
  rank: number;
  /** number of ranks */
  worldSize: number;
}

/** The shard of a single process, which has all rows. */
export const WHOLE: Shard = { rank: 0, worldSize: 1 };

/** Options of {@link epochOrder}. */
export interface EpochOrder {
  seed: number;
  epoch: number;
  /** false keeps the order 0, 1, 2, … */
  shuffle: boolean;
  /** default {@link WHOLE} */
  shard?: Shard;
}

/**
 * The order in which an epoch visits a rank's share of `n` rows, as in PyTorch's `DistributedSampler`. The rows are
 * `torch.randperm(n)` of a generator seeded with seed + epoch; rank r of W takes every W-th row, from row r on. If n is
 * not a multiple of W, rows from the beginning are used again. So batch i of all ranks together has the rows of batch i
 * of one process, as long as no row is repeated.
 */
export function epochOrder(n: number, { seed, epoch, shuffle, shard = WHOLE }: EpochOrder): Int32Array {
  const order = shuffle ? permutation(n, seed + epoch) : Int32Array.from({ length: n }, (_, i) => i);
  const { rank, worldSize } = shard;
  if (worldSize === 1) return order;
  return Int32Array.from({ length: shardLength(n, shard) }, (_, i) => order[(rank + i * worldSize) % n]);
}

/** Views the memory of the tensor, which lives as long as the array. */
const permutation = (n: number, seed: number): Int32Array =>
  torch.tidy(() => {
    const order = torch.randperm(n, { generator: new torch.Generator(seed), dtype: 'int32' });
    return new Int32Array(order.bytes().buffer);
  });

/** The number of rows of each rank: ceil(n / W). */
export const shardLength = (n: number, { worldSize }: Shard): number => Math.ceil(n / worldSize);

/**
 * The rows that a rank evaluates: batch i of the `n` rows in order belongs to rank (i mod W). No row is repeated, and
 * the batches are those of one process. The result may be empty.
 */
export function ownBatches(n: number, batchSize: number, { rank, worldSize }: Shard): Int32Array {
  const own = (row: number): boolean => Math.floor(row / batchSize) % worldSize === rank;
  return Int32Array.from({ length: n }, (_, row) => row).filter(own);
}

/** The number of batches in `n` rows. */
export const batchCount = (n: number, batchSize: number, dropLast: boolean): number =>
  dropLast ? Math.floor(n / batchSize) : Math.ceil(n / batchSize);

/** The rows of batch `index` in an order: `batchSize` rows, or fewer in the last batch. */
export const batchRows = (order: Int32Array, batchSize: number, index: number): Int32Array =>
  order.subarray(index * batchSize, (index + 1) * batchSize);
