import { optionError } from '../../errors';
import { isInteger } from '../../integers';
import { addon } from '../addon';
import { type Tensor, wrap } from '../tensor';
import { blocking, type ProcessGroup, processGroup } from './group';

/**
 * Concatenates the rows of all ranks, in the order of the ranks, with their gradient. It blocks this thread until every
 * rank has called it, at most for the group's time limit; with 'all' its backward does so too.
 * @param tensor [n, …]; all but the first dimension and the dtype the same on all ranks
 * @param counts n of each rank, by rank; they may differ, and none is 0
 * @param gradient what backward gives this rank's rows. 'own': the gradient that they have here; other ranks' rows are
 * constants. 'all': the sum of their gradients on all ranks (torch.distributed.nn.functional.all_gather); every rank
 * must call backward
 * @returns [sum of counts, …]
 * @throws CleanclipError `ERR_OPTION` for counts that do not fit, `ERR_DISTRIBUTED` when a rank has ended, hangs or
 * does not come in time
 */
export function allGatherRows(tensor: Tensor, counts: readonly number[], gradient: 'own' | 'all'): Tensor {
  const group = processGroup();
  checkCounts(group, tensor, counts);
  if (!['own', 'all'].includes(gradient))
    throw optionError(`gradient must be 'own' or 'all', but it is '${gradient}'.`);
  return wrap(
    blocking(group, 'allGatherRows', () =>
      addon().allGatherRows(group.native, tensor.handle, counts, gradient === 'all'),
    ),
  );
}

function checkCounts({ rank, worldSize }: ProcessGroup, { shape }: Tensor, counts: readonly number[]): void {
  if (counts.length !== worldSize || !counts.every((count) => isInteger(count, 1))) {
    throw optionError(
      `counts must be ${worldSize} integers above 0, one for each rank, but they are [${counts.join(', ')}].`,
    );
  }
  if (shape[0] !== counts[rank]) {
    throw optionError(`counts gives rank ${rank} ${counts[rank]} rows, but its tensor is [${shape.join(', ')}].`);
  }
}
