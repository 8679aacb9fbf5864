import { CleanclipError } from '../errors';

/** @internal Throws unless `value` is a function, as `name` takes one. */
export function requireFunction(value: unknown, name: string): void {
  if (typeof value !== 'function')
    throw new CleanclipError(`torch.${name} takes a function, but ${kindOf(value)} came.`, 'ERR_TORCH');
}

/** @internal What a value of the wrong kind is, for an error's sentence. */
export const kindOf = (value: unknown): string => (value === null ? 'null' : typeof value);
