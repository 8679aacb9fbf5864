import { CleanclipError } from '../errors';
import { show } from '../show';
import { addon } from './addon';
import { requireTensor, type Tensor, wrap } from './tensor';

function whole(count: unknown, [least, most]: readonly [number, number], what: string): number {
  if (Number.isSafeInteger(count) && (count as number) >= least && (count as number) <= most) return count as number;
  throw new CleanclipError(`${what} is a whole number from ${least} to ${most}, but ${show(count)} came.`, 'ERR_TORCH');
}

const threadCounts = [1, 4096] as const;

/** How many threads one operator may use, in the whole process (torch.set_num_threads). */
export const setNumThreads = (count: number): void =>
  addon().setNumThreads(whole(count, threadCounts, 'The number of threads'));

/** The same for the calling thread alone; data workers set 1, so that they do not crowd out the trainer. */
export const setThreadLocalThreads = (count: number): void =>
  addon().setThreadLocalThreads(whole(count, threadCounts, 'The number of threads'));

/** How many threads an operator of this thread uses. */
export const getNumThreads = (): number => addon().numThreads();

/**
 * A token with which another thread of this process can `take` the tensor once, without copying: both then see the
 * same memory.
 */
export function share(tensor: Tensor): number {
  requireTensor(tensor, 'torch.share');
  return addon().share(tensor.handle);
}

/** The tensor behind a token of `share`. */
export const take = (token: number): Tensor =>
  wrap(addon().take(whole(token, [0, Number.MAX_SAFE_INTEGER], "A shared tensor's token")));
