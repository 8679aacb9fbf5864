import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { CleanclipError, failure } from '../errors';
import type { JobHooks } from '../progress';
import { limitSpinning } from '../setup/load';
import { endsOnSecondInterrupt } from './interrupts';
import type { FromJob } from './messages';
import type { JobName } from './registry';

/**
 * Runs a job in a thread of its own, so that the caller's event loop stays free.
 * @param job the name of the job
 * @param options its checked options, which are cloned into the thread
 * @param hooks those of the job
 * @throws CleanclipError the error of the job; `ERR_ABORTED` when the signal has aborted before it begins; `ERR_NATIVE`
 * when the thread ends unexpectedly
 */
export async function runJob<Result>(job: JobName, options: object, hooks: JobHooks): Promise<Result> {
  const { signal, onProgress } = hooks;
  refuseAborted(job, signal);
  limitSpinning(); // the thread may be the first to load libtorch
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

/**
 * Refuses to begin a job that has already been aborted.
 * @throws CleanclipError `ERR_ABORTED` when the signal has aborted
 */
export function refuseAborted(job: JobName, signal?: AbortSignal): void {
  if (signal?.aborted === true)
    throw new CleanclipError(`The job '${job}' was stopped before it began.`, 'ERR_ABORTED');
}
