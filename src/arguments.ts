// Checks of arguments, for the first lines of public functions.
import { optionError } from './errors';
import { show } from './show';

/**
 * Checks that an argument is a function.
 * @param what name of the argument, for the message
 * @param optional whether undefined passes too; default false
 * @throws CleanclipError `ERR_OPTION` otherwise
 */
export function checkFunction(value: unknown, what: string, optional = false): void {
  if (typeof value === 'function' || (optional && value === undefined)) return;
  throw optionError(`${what} must be a function, but is ${show(value)}.`);
}

/**
 * Checks that an argument is a finite number of at least `min`.
 * @param what name of the argument, for the message
 * @throws CleanclipError `ERR_OPTION` otherwise
 */
export function checkNumber(value: unknown, what: string, min = -Infinity): void {
  if (typeof value === 'number' && Number.isFinite(value) && value >= min) return;
  throw optionError(`${what} must be a number${min > -Infinity ? ` of at least ${min}` : ''}, but is ${show(value)}.`);
}
