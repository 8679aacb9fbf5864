import { checkFunction } from './arguments';
import { optionError } from './errors';
import { show } from './show';

/** An event that a job reports while it runs. */
export type ProgressEvent =
  /** a line of output.log */
  | { type: 'log'; level: 'INFO' | 'WARNING'; line: string }
  /** an object of metrics.jsonl */
  | { type: 'metrics'; record: Record<string, unknown> }
  /** how far the job is: `done` of `total`; `text` says what is counted */
  | { type: 'progress'; done: number; total: number; text: string };

/**
 * Checks the hooks that a caller gave.
 * @throws CleanclipError `ERR_OPTION` when one is of another type
 */
export function checkHooks({ onProgress, signal }: JobHooks): void {
  checkFunction(onProgress, 'onProgress', true);
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw optionError(`signal must be an AbortSignal, but is ${show(signal)}.`);
}

/** Hooks that every job takes beside its options. */
export interface JobHooks {
  /** called with each event, on the caller's thread; default: events are dropped */
  onProgress?: (event: ProgressEvent) => void;
  /** aborts the job, which throws `ERR_ABORTED`; training saves its last step first */
  signal?: AbortSignal;
}
