import { optionError } from './errors';
import { show } from './show';

/** Writes 4096 as '4,096'. toLocaleString would load the locale's tables, which slows the start of a command. */
const number = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',');

/** Describes what an integer argument must be: 'an integer of at least 1', 'an integer from 0 to 255'. */
export function anInteger(least = -Infinity, most = Infinity): string {
  if (least > -Infinity && most < Infinity) return `an integer from ${number(least)} to ${number(most)}`;
  if (least > -Infinity) return `an integer of at least ${number(least)}`;
  return most < Infinity ? `an integer of at most ${number(most)}` : 'an integer';
}

/** Tells whether a value is an integer from `least` to `most`, both included, that a number holds exactly. */
export const isInteger = (value: unknown, least = -Infinity, most = Infinity): value is number =>
  Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;

/**
 * Checks that a value is an integer from `least` to `most`, both included.
 * @param name how the message calls the value
 * @param ofWhat what it counts, in the plural: 'pixels'
 * @returns the value
 * @throws CleanclipError `ERR_OPTION` otherwise
 */
export function checkInteger(
  name: string,
  value: unknown,
  { least, most, ofWhat }: { least?: number; most?: number; ofWhat?: string } = {},
): number {
  if (isInteger(value, least, most)) return value;
  const unit = ofWhat === undefined ? '' : ` (${ofWhat})`;
  throw optionError(`${name} must be ${anInteger(least, most)}${unit}, but is ${show(value)}.`);
}
