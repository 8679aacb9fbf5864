import { CleanclipError } from '../../errors';
import { checkInteger } from '../../integers';

/** Names a rank at the beginning of a sentence: `Rank 1 of 4`. */
export const whoIs = ({ rank, worldSize }: { rank: number; worldSize: number }): string =>
  `Rank ${rank} of ${worldSize}`;

/** torch's default time limit of an operation of several ranks: 30 minutes, in milliseconds. */
export const DEFAULT_TIMEOUT = 30 * 60 * 1000;

/** Who waited for what, and how long at most. */
export interface Waiting {
  /** as a sentence begins */
  who: string;
  operation: string;
  /** milliseconds */
  timeout: number;
}

/** Awaits an operation of ranks that have no group yet. Its error names who waited, for what and how long at most. */
export async function naming<T>(waiting: Waiting, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw named(waiting, error);
  }
}

/** Whether an operation failed because of another rank, a connection or a time limit. */
export const isExchangeFailure = (error: unknown): error is CleanclipError =>
  error instanceof CleanclipError && error.code === 'ERR_DISTRIBUTED';

/** Whether the time limit was over. Gloo also says `timeout` where another rank's time limit closed the connection. */
export const isTimeout = ({ message }: CleanclipError): boolean =>
  /time[d ]?\s?out/i.test(message) && !message.includes('caused pair closure');

/** Turns the error of an operation into one that names the rank, the operation and `cause`, as the ranks found it. */
export function named({ who, operation, timeout }: Waiting, error: unknown, cause = ''): unknown {
  if (!isExchangeFailure(error)) return error;
  const detail = error.message.replace(/\.$/, '');
  const limit = `its time limit of ${timeout / 1000} s`;
  const [what, guess] = isTimeout(error)
    ? [`did not finish within ${limit}`, 'another rank has ended, hangs, or never came to it']
    : ['failed', 'the connection to another rank broke, so look at what the others say'];
  return new CleanclipError(`${who}: ${operation} ${what}: ${cause || `${guess} (${detail})`}.`, 'ERR_DISTRIBUTED', {
    cause: error,
  });
}

/** Checks a time limit in milliseconds: an integer of at least 1, at most 24 days. */
export const checkTimeout = (timeout: number): number =>
  checkInteger('timeout', timeout, { least: 1, most: 2 ** 31 - 1, ofWhat: 'milliseconds' });
