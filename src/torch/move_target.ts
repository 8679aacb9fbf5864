import { CleanclipError } from '../errors';
import type { DType } from './dtype';

/** @internal What `Tensor.to` changes. */
interface MoveTarget {
  dtype?: DType;
  device?: string;
  nonBlocking?: boolean;
}

/**
 * @internal Returns what `Tensor.to` changes, given a dtype, a device, or an object with either or both.
 * @throws CleanclipError `ERR_TORCH` when it is none of them
 */
export function moveTarget(target: string | MoveTarget): MoveTarget {
  if (typeof target === 'string')
    return /^(cpu|cuda|meta)(:\d+)?$/.test(target) ? { device: target } : { dtype: target as DType };
  if (typeof target !== 'object' || target === null)
    throw new CleanclipError('to takes a dtype, a device, or an object with either or both.', 'ERR_TORCH');
  return target;
}
