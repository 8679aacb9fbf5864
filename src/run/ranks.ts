// The ranks that do one job together, as its parts see them. A process alone is rank 0 of 1, and nothing here costs it
// anything.
import { type Shard, WHOLE } from '../data/sampler';
import { type Failed, failed, failure } from '../errors';
import { torch } from '../torch';

const { distributed } = torch;

/** Which rank this is, and of how many. */
export const ranks = (): Shard =>
  distributed.isInitialized() ? { rank: distributed.getRank(), worldSize: distributed.getWorldSize() } : WHOLE;

/** The value of every rank, by rank: what structured cloning takes. */
export const fromAllRanks = async <T>(value: T): Promise<T[]> =>
  ranks().worldSize === 1 ? [value] : distributed.allGatherObject(value);

/** Sums numbers over the ranks, each for itself; whole numbers exactly. */
export async function sumOverRanks<T extends Record<string, number>>(values: T): Promise<T> {
  const all = await fromAllRanks(values);
  return Object.fromEntries(
    Object.keys(values).map((name) => [name, all.reduce((sum, one) => sum + one[name], 0)]),
  ) as T;
}

/**
 * What rank 0 gets from a function, on every rank; its error fails them all. The other ranks do not call the function.
 */
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
