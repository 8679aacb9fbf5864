import { types } from 'node:util';

import { CleanclipError, dataError, optionError } from './errors';

/**
 * Wraps a public function so that it only throws, or rejects with, CleanclipErrors. JavaScript or Node may refuse an
 * argument that no check has caught (TypeError, RangeError, an error of a system call). That error then becomes the
 * cause of a CleanclipError. Errors of the caller's own code pass unchanged.
 */
export function border<Args extends unknown[], Result>(
  name: string,
  fn: (...args: Args) => Result,
): (...args: Args) => Result {
  const guarded = (...args: Args): Result => {
    try {
      const result = fn(...args);
      return types.isPromise(result) ? (result.catch((error: unknown) => fail(name, error)) as Result) : result;
    } catch (error) {
      return fail(name, error);
    }
  };
  return Object.defineProperties(guarded, { name: { value: name }, length: { value: fn.length } });
}

function fail(name: string, error: unknown): never {
  if (error instanceof CleanclipError || !types.isNativeError(error)) throw error;
  const { name: kind, message } = error;
  if (kind === 'RangeError' && /alloc|memory/i.test(message)) {
    throw new CleanclipError(`${name} needs more memory than there is (${message}).`, 'ERR_TORCH_OOM', {
      cause: error,
    });
  }
  if (kind === 'TypeError' || kind === 'RangeError') {
    const wrong = optionError(
      `${name} cannot use an argument that it was given (${message.replace(/\s+/g, ' ')}); see docs/api.md for ` +
        'what it takes.',
    );
    wrong.cause = error;
    throw wrong;
  }
  if ((error as NodeJS.ErrnoException).syscall !== undefined) throw dataError(`${name} failed: ${message}.`, error);
  throw error;
}
