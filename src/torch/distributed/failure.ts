import { CleanclipError, optionError } from '../../errors';

/** torch's default time limit of what ranks do together: 30 minutes. */
export const DEFAULT_TIMEOUT = 30 * 60 * 1000;

/** Who waited for what, and how long at most. */
export interface Waiting {
  /** as a sentence begins: `Rank 1 of 4` */
  who: string;
  operation: string;
  /** milliseconds */
  timeout: number;
}

/** Awaits what ranks do together; its failure names who waited, for what and how long at most. */
export async function naming<T>(waiting: Waiting, together: () => T | Promise<T>): Promise<T> {
  try {
    return await together();
  } catch (error) {
    throw named(waiting, error);
  }
}

/** @internal The error to throw for one that a wait ended in. */
export function named({ who, operation, timeout }: Waiting, error: unknown): unknown {
  if (!(error instanceof CleanclipError) || error.code !== 'ERR_DISTRIBUTED') return error;
  const detail = error.message.replace(/\.$/, '');
  const limit = `its time limit of ${timeout / 1000} s`;
  const what = /time[d ]?\s?out/i.test(detail)
    ? `did not finish within ${limit}: another rank has ended, hangs, or never came to it`
    : `failed within ${limit}: the connection to another rank broke, so look at what the others say`;
  return new CleanclipError(`${who}: ${operation} ${what} (${detail}).`, 'ERR_DISTRIBUTED', { cause: error });
}

/** Milliseconds of a time limit: a whole number from 1 on, at most 24 days. */
export function checkTimeout(timeout: number): number {
  if (!Number.isInteger(timeout) || timeout < 1 || timeout > 2 ** 31 - 1) {
    throw optionError(`timeout must be a whole number of milliseconds from 1 to ${2 ** 31 - 1}, but it is ${timeout}.`);
  }
  return timeout;
}
