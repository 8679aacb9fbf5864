/**
 * The kind of an error, for programs that react to it.
 *
 * - `ERR_OPTION`: an option of a job or an argument of a function is wrong; nothing was started.
 * - `ERR_DATA`: a file, row or column of a data set cannot be used, a file cannot be written, or a loss is not finite.
 * - `ERR_CHECKPOINT`: a checkpoint cannot be read or written, or does not fit the model.
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

/* eslint-disable no-control-regex -- control characters are what these find */
const CONTROLS = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;
const CONTROLS_IN_LINES = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;
/* eslint-enable no-control-regex */

const escapeControl = (character: string): string => {
  const code = character.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
};

/**
 * Makes a string fit for a message. Control characters, which a terminal would obey, become escapes such as `\x1b`. The
 * string is cut to `longest` characters, default 500.
 */
export function shown(text: string, longest = 500): string {
  return (text.length > longest ? `${text.slice(0, longest)}…` : text).replace(CONTROLS, escapeControl);
}

/**
 * An error of this library. Its message is one plain sentence: what was expected, what came, and how to fix it. Control
 * characters in it are escaped, but not tabs and line feeds. `code` is its kind.
 */
export class CleanclipError extends Error {
  override readonly name = 'CleanclipError';

  constructor(
    message: string,
    readonly code: ErrorCode,
    options?: ErrorOptions,
  ) {
    super(message.replace(CONTROLS_IN_LINES, escapeControl), options);
  }
}

/** Tells whether an error says that the job was aborted. */
export const isAbort = (error: unknown): boolean => error instanceof CleanclipError && error.code === 'ERR_ABORTED';

/**
 * Makes the error of an option or argument that cannot be used. Control characters in the message are escaped, line
 * feeds too.
 */
export const optionError = (message: string): CleanclipError =>
  new CleanclipError(shown(message, Infinity), 'ERR_OPTION');

/**
 * Checks that an argument is a string.
 * @param name how the message calls it, such as `readPairs(file)`
 * @throws CleanclipError `ERR_OPTION` otherwise
 */
export function checkText(name: string, value: unknown): void {
  if (typeof value !== 'string')
    throw optionError(`${name} must be a string, but is ${value === null ? 'null' : `of type ${typeof value}`}.`);
}

/**
 * Checks that an argument is an object of options.
 * @param name how the message calls it
 * @throws CleanclipError `ERR_OPTION` otherwise
 */
export function checkOptions(name: string, value: unknown): void {
  if (typeof value !== 'object' || value === null)
    throw optionError(
      `${name} must be an object of options, but is ${value === null ? 'null' : `of type ${typeof value}`}.`,
    );
}

/**
 * Makes the error of a file, row or column that cannot be used. Control characters in the message are escaped, line
 * feeds too.
 */
export const dataError = (message: string, cause?: unknown): CleanclipError =>
  new CleanclipError(shown(message, Infinity), 'ERR_DATA', { cause });

/** An error as a message between threads, processes or ranks. */
export interface Failed {
  type: 'failed';
  message: string;
  code?: ErrorCode;
  stack?: string;
}

/** Converts an error to a message. */
export function failed(error: unknown): Failed {
  const { message, stack } = error as Error;
  return { type: 'failed', message, stack, ...(error instanceof CleanclipError && { code: error.code }) };
}

/** Converts a message to an error with the same class, code, sentence and stack. */
export function failure({ message, code, stack }: Failed): Error {
  const error = code === undefined ? new Error(message) : new CleanclipError(message, code);
  if (stack !== undefined) error.stack = stack;
  return error;
}
