// Checks of what callers give, for the first line of public functions.
import { optionError } from './errors';
import { show } from './show';

/** @throws CleanclipError `ERR_OPTION` unless it is a function; undefined passes when it is `optional` */
export function checkFunction(value: unknown, what: string, optional = false): void {
  if (typeof value === 'function' || (optional && value === undefined)) return;
  throw optionError(`${what} must be a function, but is ${show(value)}.`);
}

/** @throws CleanclipError `ERR_OPTION` unless it is a finite number of at least `min` */
export function checkNumber(value: unknown, what: string, min = -Infinity): void {
  if (typeof value === 'number' && Number.isFinite(value) && value >= min) return;
  throw optionError(`${what} must be a number${min > -Infinity ? ` of at least ${min}` : ''}, but is ${show(value)}.`);
}
