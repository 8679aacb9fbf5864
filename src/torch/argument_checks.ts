import { CleanclipError } from '../errors';

/** @internal Throws `ERR_TORCH` unless `value` is a function. `name` is the function of `torch` that takes it. */
export function requireFunction(value: unknown, name: string): void {
  if (typeof value !== 'function')
    throw new CleanclipError(`torch.${name} takes a function, but ${kindOf(value)} came.`, 'ERR_TORCH');
}

/** @internal Returns the type of a wrong value, for the message of an error. */
export const kindOf = (value: unknown): string => (value === null ? 'null' : typeof value);
