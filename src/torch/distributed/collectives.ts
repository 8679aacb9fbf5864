import { optionError } from '../../errors';
import { checkInteger } from '../../integers';
import { addon } from '../addon';
import { type Tensor, wrap } from '../tensor';
import { blocking, type ProcessGroup, processGroup, runOperation } from './group';

/** How the tensors of the ranks are reduced to one; 'mean' is torch's AVG. */
export type ReduceOp = 'sum' | 'mean' | 'min' | 'max' | 'product';

/*
 * Every rank calls the same operations in the same order, with dense, contiguous tensors of the same shape and dtype.
 * Operations run in the order of the calls, each at its call or after an allGatherObject that is under way. They do not
 * block this thread; do not change the tensors until the promise is settled. All reject with CleanclipError
 * `ERR_DISTRIBUTED` when there is no group, or a rank ends, hangs or does not come within the group's time limit.
 */

/**
 * Reduces a tensor over all ranks, in place (all_reduce).
 * @param tensor of any shape; for 'mean' of a floating point dtype
 * @param options.op default 'sum'
 * @throws CleanclipError `ERR_OPTION` for another op or a mean of integers, `ERR_TORCH` for a tensor that is not dense
 * and contiguous or on a device that the backend does not reach, `ERR_DISTRIBUTED`
 */
export async function allReduce(tensor: Tensor, { op = 'sum' }: { op?: ReduceOp } = {}): Promise<void> {
  checkReduction(op, tensor);
  await runOperation('allReduce', ({ native }) => addon().allReduce(native, tensor.handle, op));
}

/**
 * Returns the tensors of all ranks (all_gather), without a gradient; {@link allGatherRows} has one.
 * @param tensor of any shape
 * @returns by rank, each of the tensor's shape and dtype
 * @throws CleanclipError `ERR_TORCH` as {@link allReduce}, `ERR_DISTRIBUTED`
 */
export async function allGather(tensor: Tensor): Promise<Tensor[]> {
  const handles = await runOperation('allGather', ({ native }) => addon().allGather(native, tensor.handle));
  return handles.map(wrap);
}

/**
 * Copies the tensor of rank `src` into those of the others, in place (broadcast).
 * @param tensor of any shape
 * @param options.src default 0
 * @throws CleanclipError `ERR_OPTION` when `src` is no rank, `ERR_TORCH` as {@link allReduce}, `ERR_DISTRIBUTED`
 */
export async function broadcast(tensor: Tensor, { src = 0 }: { src?: number } = {}): Promise<void> {
  await runOperation('broadcast', (group) => addon().broadcast(group.native, tensor.handle, rankOf(group, 'src', src)));
}

/**
 * Copies rank 0's tensors into those of the others, in place (torch's _broadcast_coalesced). It sends many tensors in
 * one piece and blocks this thread.
 * @param tensors of any shapes and strides
 * @throws CleanclipError `ERR_OPTION` while an allGatherObject is under way, `ERR_DISTRIBUTED`
 */
export function broadcastCoalesced(tensors: Tensor[]): void {
  const group = processGroup();
  const handles = tensors.map(({ handle }) => handle);
  if (handles.length > 0)
    blocking(group, 'broadcastCoalesced', () => addon().broadcastCoalesced(group.native, handles));
}

/**
 * Reduces a tensor over all ranks and gives each rank a part of the result (reduce_scatter_tensor).
 * @param tensor [n · world size, …]
 * @param options.op default 'sum'
 * @returns [n, …], rank r's the r-th part
 * @throws CleanclipError `ERR_OPTION` for a first dimension that the ranks do not divide, otherwise as {@link
 * allReduce}
 */
export async function reduceScatter(tensor: Tensor, { op = 'sum' }: { op?: ReduceOp } = {}): Promise<Tensor> {
  checkReduction(op, tensor);
  const handle = await runOperation('reduceScatter', ({ native, worldSize }) => {
    const { shape } = tensor;
    if (!(shape[0] > 0) || shape[0] % worldSize !== 0) {
      throw optionError(
        `reduceScatter splits the first dimension among ${worldSize} ranks, but the tensor is [${shape.join(', ')}].`,
      );
    }
    return addon().reduceScatter(native, tensor.handle, op);
  });
  return wrap(handle);
}

/**
 * Waits until every rank has come here (barrier).
 * @throws CleanclipError `ERR_DISTRIBUTED`
 */
export async function barrier(): Promise<void> {
  await runOperation('barrier', ({ native }) => addon().barrier(native));
}

/**
 * Sends a tensor to a rank that calls `recv` (send).
 * @param tensor of any shape
 * @param dst another rank
 * @param options.tag tells messages between the same ranks apart; default 0
 * @throws CleanclipError `ERR_OPTION` when `dst` is no other rank, `ERR_TORCH` as {@link allReduce}, `ERR_DISTRIBUTED`
 */
export async function send(tensor: Tensor, dst: number, { tag = 0 }: { tag?: number } = {}): Promise<void> {
  await runOperation(
    `send to rank ${dst}`,
    (group) => addon().send(group.native, tensor.handle, other(group, 'dst', dst), tag),
    false,
  );
}

/**
 * Receives into a tensor what rank `src` sends, in place (recv).
 * @param tensor of the shape and dtype of what is sent
 * @param src another rank
 * @param options.tag that of the message; default 0
 * @throws CleanclipError `ERR_OPTION` when `src` is no other rank, `ERR_TORCH` as {@link allReduce}, `ERR_DISTRIBUTED`
 */
export async function recv(tensor: Tensor, src: number, { tag = 0 }: { tag?: number } = {}): Promise<void> {
  await runOperation(
    `recv from rank ${src}`,
    (group) => addon().recv(group.native, tensor.handle, other(group, 'src', src), tag),
    false,
  );
}

function checkReduction(op: ReduceOp, tensor: Tensor): void {
  const ops: ReduceOp[] = ['sum', 'mean', 'min', 'max', 'product'];
  if (!ops.includes(op)) throw optionError(`op must be one of ${ops.join(', ')}, but it is '${op}'.`);
  if (op === 'mean' && !/float|complex/.test(tensor.dtype)) {
    throw optionError(
      `The mean is taken of floating point tensors, but this one is ${tensor.dtype}; convert it, or use 'sum'.`,
    );
  }
}

const rankOf = ({ worldSize }: ProcessGroup, name: string, rank: number): number =>
  checkInteger(name, rank, { least: 0, most: worldSize - 1, ofWhat: 'a rank' });

function other(group: ProcessGroup, name: string, rank: number): number {
  if (rank === group.rank) throw optionError(`${name} must be another rank, but ${rank} is this one.`);
  return rankOf(group, name, rank);
}
