import { CleanclipError } from '../errors';
import { addon } from './addon';
import { requireFunction } from './argument_checks';
import { requireTensor, Tensor } from './tensor';
import { scope, track } from './tracking';

/**
 * Runs a synchronous function and frees every tensor made in it, except those that it returns or gives to {@link keep}.
 * Returned tensors are found in arrays, objects, sets and the values of maps, at any depth. Inside another `tidy`, they
 * belong to that one. When the function throws, all its tensors are freed.
 * @returns what `fn` returns
 * @throws CleanclipError `ERR_TORCH` when `fn` is no function, or returns a promise: `tidy` cannot free tensors that
 * are made after an `await`
 * @example const loss = torch.tidy(() => contrastiveLoss(imageEmbeds, textEmbeds, clip.logitScale.exp()));
 */
export function tidy<T>(fn: () => T): T {
  requireFunction(fn, 'tidy');
  addon().openScope();
  scope.depth++;
  let kept: Tensor[] = [];
  try {
    const result = fn();
    if (isPromise(result)) {
      throw new CleanclipError(
        'torch.tidy takes a synchronous function, but got one that returns a promise.',
        'ERR_TORCH',
      );
    }
    kept = tensorsIn(result);
    return result;
  } finally {
    scope.depth--;
    addon().closeScope(kept.map((tensor) => tensor.handle));
    if (scope.depth === 0) kept.forEach(track);
  }
}

/**
 * Takes a tensor out of every `tidy`: it lives until it is disposed or collected.
 * @returns the same tensor
 * @throws CleanclipError `ERR_TORCH` when it is no tensor
 */
export function keep(tensor: Tensor): Tensor {
  requireTensor(tensor, 'torch.keep');
  addon().keep(tensor.handle);
  track(tensor);
  return tensor;
}

/** Returns how many tensors this thread holds, and the bytes of their distinct storages, on all devices together. */
export const memory = (): { tensors: number; bytes: number } => addon().memory();

function isPromise(value: unknown): boolean {
  return typeof value === 'object' && value !== null && typeof (value as PromiseLike<unknown>).then === 'function';
}

function tensorsIn(value: unknown, found: Tensor[] = [], seen = new Set<object>()): Tensor[] {
  if (typeof value !== 'object' || value === null || seen.has(value)) return found;
  if (value instanceof Tensor) {
    found.push(value);
    return found;
  }
  if (ArrayBuffer.isView(value)) return found;
  seen.add(value);
  const items = value instanceof Map || value instanceof Set ? value.values() : Object.values(value);
  for (const item of items) tensorsIn(item, found, seen);
  return found;
}
