import { optionError } from '../errors';

/**
 * Refuses a combination of flags.
 * @throws CleanclipError `ERR_OPTION` when `wrong` is true
 */
export function refuse(wrong: boolean, message: string): void {
  if (wrong) throw optionError(message);
}
