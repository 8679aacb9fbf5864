/**
 * What kind of thing went wrong, for programs that react to it.
 *
 * - `ERR_OPTION`: an option of a job or an argument of a function is wrong; nothing was started.
 * - `ERR_DATA`: a file, row or column of a data set cannot be used.
 * - `ERR_CHECKPOINT`: a checkpoint cannot be read, or does not fit the model.
 * - `ERR_NATIVE`: libtorch or the addon is missing, or does not fit.
 * - `ERR_TORCH`: libtorch refused an operation; `ERR_TORCH_OOM`: it had no memory for it.
 * - `ERR_DISTRIBUTED`: another rank has ended, hangs or does not answer, or there is no process group.
 * - `ERR_ABORTED`: the caller's AbortSignal, or Ctrl-C, ended the job.
 */
export type ErrorCode =
  | 'ERR_OPTION'
  | 'ERR_DATA'
  | 'ERR_CHECKPOINT'
  | 'ERR_NATIVE'
  | 'ERR_TORCH'
  | 'ERR_TORCH_OOM'
  | 'ERR_DISTRIBUTED'
  | 'ERR_ABORTED';

/** An error whose message is one plain sentence: what was expected, what came, how to mend it. */
export class CleanclipError extends Error {
  override readonly name = 'CleanclipError';

  constructor(
    message: string,
    readonly code: ErrorCode,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Whether it says that the job was stopped. */
export const isAbort = (error: unknown): boolean => error instanceof CleanclipError && error.code === 'ERR_ABORTED';

/** An option or argument that cannot be used. */
export const optionError = (message: string): CleanclipError => new CleanclipError(message, 'ERR_OPTION');

/** A file, row or column that cannot be used. */
export const dataError = (message: string, cause?: unknown): CleanclipError =>
  new CleanclipError(message, 'ERR_DATA', { cause });

/** An error on its way between threads, processes or ranks. */
export interface Failed {
  type: 'failed';
  message: string;
  code?: ErrorCode;
  stack?: string;
}

/** The message of an error. */
export function failed(error: unknown): Failed {
  const { message, stack } = error as Error;
  return { type: 'failed', message, stack, ...(error instanceof CleanclipError && { code: error.code }) };
}

/** The error of a message: class, code, sentence and stack. */
export function failure({ message, code, stack }: Failed): Error {
  const error = code === undefined ? new Error(message) : new CleanclipError(message, code);
  if (stack !== undefined) error.stack = stack;
  return error;
}
