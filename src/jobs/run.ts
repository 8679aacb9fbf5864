import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { CleanclipError, failure } from '../errors';
import type { JobHooks } from '../progress';
import { endsOnSecondInterrupt } from './interrupts';
import type { FromJob } from './messages';
import type { JobName } from './registry';

/**
 * Runs a job in a thread of its own, so that the caller's event loop stays free.
 * @param options checked already; cloned into the thread
 */
export async function runJob<Result>(job: JobName, options: object, hooks: JobHooks): Promise<Result> {
  const { signal, onProgress } = hooks;
  refuseAborted(job, signal);
  // OpenMP reads this once, when libtorch is loaded. Its threads spin this often before they sleep: enough between two
  // operators of a step; its own 300,000 stall every step on cores that data workers or other programs use too.
  process.env.GOMP_SPINCOUNT ??= '3000';
  return new Promise<Result>((resolve, reject) => {
    const worker = new Worker(join(__dirname, 'worker.js'), {
      workerData: { job, options, endOnInterrupt: endsOnSecondInterrupt() },
    });
    const abort = (): void => worker.postMessage('abort');
    signal?.addEventListener('abort', abort, { once: true });
    let outcome: (() => void) | undefined;
    worker.on('message', (message: FromJob) => {
      if (message.type === 'event') onProgress?.(message.event);
      else if (message.type === 'done') outcome = () => resolve(message.result as Result);
      else outcome = () => reject(failure(message));
    });
    worker.on('error', (error) => (outcome ??= () => reject(error)));
    worker.on('exit', (code) => {
      signal?.removeEventListener('abort', abort);
      if (outcome !== undefined) outcome();
      else
        reject(
          new CleanclipError(`The thread of the job '${job}' ended unexpectedly with code ${code}.`, 'ERR_NATIVE'),
        );
    });
  });
}

/** Throws when a job is to be stopped before it has begun. */
export function refuseAborted(job: JobName, signal?: AbortSignal): void {
  if (signal?.aborted === true)
    throw new CleanclipError(`The job '${job}' was stopped before it began.`, 'ERR_ABORTED');
}
