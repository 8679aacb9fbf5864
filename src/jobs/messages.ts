import { CleanclipError, type ErrorCode } from '../errors';
import type { ProgressEvent } from './progress';

/** What the thread of a job, or the process of a rank, tells its caller. */
export type FromJob = { type: 'event'; event: ProgressEvent } | { type: 'done'; result: unknown } | Failed;

/** An error on its way between threads or processes. */
export interface Failed {
  type: 'failed';
  message: string;
  code?: string;
  stack?: string;
}

/** The message of an error. */
export function failed(error: unknown): Failed {
  const { message, stack } = error as Error;
  return { type: 'failed', message, stack, ...(error instanceof CleanclipError && { code: error.code }) };
}

/** The error of a message: class, code, sentence and stack. */
export function failure({ message, code, stack }: Failed): Error {
  const error = code === undefined ? new Error(message) : new CleanclipError(message, code as ErrorCode);
  if (stack !== undefined) error.stack = stack;
  return error;
}
