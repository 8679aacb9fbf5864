import type { Failed } from '../errors';
import type { ProgressEvent } from '../progress';

/** A message from the thread of a job, or the process of a rank, to its caller. */
export type FromJob = { type: 'event'; event: ProgressEvent } | { type: 'done'; result: unknown } | Failed;
