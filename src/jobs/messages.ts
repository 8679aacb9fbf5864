import type { Failed } from '../errors';
import type { ProgressEvent } from '../progress';

/** What the thread of a job, or the process of a rank, tells its caller. */
export type FromJob = { type: 'event'; event: ProgressEvent } | { type: 'done'; result: unknown } | Failed;
