import { CleanclipError } from '../errors';
import { anInteger, isInteger } from '../integers';
import { show } from '../show';
import { addon } from './addon';
import { requireTensor, type Tensor, wrap } from './tensor';

function integerIn(count: unknown, [least, most]: readonly [number, number], what: string): number {
  if (isInteger(count, least, most)) return count;
  throw new CleanclipError(`${what} must be ${anInteger(least, most)}, but is ${show(count)}.`, 'ERR_TORCH');
}

const threadCounts = [1, 4096] as const;

/**
 * Sets how many threads one operator may use, in the whole process (torch.set_num_threads).
 * @param count 1 to 4096
 * @throws CleanclipError `ERR_TORCH` for another count
 */
export const setNumThreads = (count: number): void =>
  addon().setNumThreads(integerIn(count, threadCounts, 'The number of threads'));

/**
 * Sets how many threads an operator of the calling thread may use. Data workers set 1, so that they leave the cores to
 * the training.
 * @param count 1 to 4096
 * @throws CleanclipError `ERR_TORCH` for another count
 */
export const setThreadLocalThreads = (count: number): void =>
  addon().setThreadLocalThreads(integerIn(count, threadCounts, 'The number of threads'));

/** Returns how many threads an operator of this thread may use (torch.get_num_threads). */
export const getNumThreads = (): number => addon().numThreads();

/**
 * Gives a tensor to another thread of this process without a copy; both threads then use the same memory. The memory
 * stays until it is taken, even if the tensor is disposed here.
 * @returns a token, with which another thread can `take` the tensor once
 * @throws CleanclipError `ERR_TORCH` when it is no tensor
 */
export function share(tensor: Tensor): number {
  requireTensor(tensor, 'torch.share');
  return addon().share(tensor.handle);
}

/**
 * Takes the tensor that another thread gave to `share`.
 * @param token from `share`, not used before
 * @throws CleanclipError `ERR_TORCH` when there is no tensor for this token
 */
export const take = (token: number): Tensor =>
  wrap(addon().take(integerIn(token, [0, Number.MAX_SAFE_INTEGER], "A shared tensor's token")));
