import { CleanclipError } from '../errors';
import { addon } from './addon';
import { requireFunction } from './argument_checks';
import { requireTensor, Tensor } from './tensor';
import { scope, track } from './tracking';

/**
 * Runs `fn` and frees every tensor made in it, except those it returns (in arrays, objects, maps and sets at any depth)
 * and those given to {@link keep}. Synchronous only: tensors made after an `await` belong to no scope.
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

/** Takes a tensor out of every tidy scope: it lives until it is disposed or collected. Returns it. */
export function keep(tensor: Tensor): Tensor {
  requireTensor(tensor, 'torch.keep');
  addon().keep(tensor.handle);
  track(tensor);
  return tensor;
}

/** How many tensors this thread holds, and the bytes of their distinct storages. */
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
