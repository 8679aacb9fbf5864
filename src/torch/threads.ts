import { addon } from './addon';
import { wrap, type Tensor } from './tensor';

/** How many threads one operator may use, in the whole process (torch.set_num_threads). */
export const setNumThreads = (count: number): void => addon().setNumThreads(count);

/** The same for the calling thread alone; data workers set 1, so that they do not crowd out the trainer. */
export const setThreadLocalThreads = (count: number): void => addon().setThreadLocalThreads(count);

/** How many threads an operator of this thread uses. */
export const getNumThreads = (): number => addon().numThreads();

/**
 * A token with which another thread of this process can `take` the tensor once, without copying: both then see the
 * same memory.
 */
export const share = (tensor: Tensor): number => addon().share(tensor.handle);

/** The tensor behind a token of `share`. */
export const take = (token: number): Tensor => wrap(addon().take(token));
