// How the ranks of a job exchange values. A single process is rank 0 of 1, for which all of this is free.
import { type Shard, WHOLE } from '../data/sampler';
import { type Failed, failed, failure } from '../errors';
import { torch } from '../torch';

const { distributed } = torch;

/** Returns the index of this rank, and the number of ranks. */
export const ranks = (): Shard =>
  distributed.isInitialized() ? { rank: distributed.getRank(), worldSize: distributed.getWorldSize() } : WHOLE;

/** Gathers a value from every rank, in the order of ranks. The value may be anything that structured cloning takes. */
export const fromAllRanks = async <T>(value: T): Promise<T[]> =>
  ranks().worldSize === 1 ? [value] : distributed.allGatherObject(value);

/**
 * Checks a value that must be the same on all ranks. Returns the first rank whose value differs from rank 0's, with
 * both values, or undefined when all are equal.
 */
export async function differingRank<T>(value: T): Promise<{ rank: number; own: T; first: T } | undefined> {
  const [first, ...others] = await fromAllRanks(value);
  const other = others.findIndex((own) => own !== first);
  return other < 0 ? undefined : { rank: other + 1, own: others[other], first };
}

/** Sums numbers over the ranks, key by key. Integers are summed exactly. */
export async function sumOverRanks<T extends Record<string, number>>(values: T): Promise<T> {
  const all = await fromAllRanks(values);
  return Object.fromEntries(
    Object.keys(values).map((name) => [name, all.reduce((sum, one) => sum + one[name], 0)]),
  ) as T;
}

/** Calls a function on rank 0 only, and returns its result on every rank. Its error is thrown on every rank. */
export async function fromFirstRank<T>(fn: () => T | Promise<T>): Promise<T> {
  const { rank, worldSize } = ranks();
  if (worldSize === 1) return fn();
  const own =
    rank === 0
      ? await Promise.resolve()
          .then(fn)
          .then((value): Outcome<T> => ({ type: 'done', value }), failed)
      : undefined;
  const [outcome] = (await fromAllRanks(own)) as [Outcome<T>, ...undefined[]];
  if (outcome.type === 'done') return outcome.value;
  throw failure(outcome);
}

type Outcome<T> = { type: 'done'; value: T } | Failed;
