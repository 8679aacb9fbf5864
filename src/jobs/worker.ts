// The thread of one job: runs it, and tells its caller of progress and the outcome.
import { parentPort, workerData } from 'node:worker_threads';

import { CleanclipError } from '../errors';
import { inGroup } from './group';
import type { JobHooks } from './progress';
import { jobs, type JobName } from './registry';

/** What the thread tells its caller. */
export type FromJob =
  | { type: 'event'; event: import('./progress').ProgressEvent }
  | { type: 'done'; result: unknown }
  | { type: 'failed'; message: string; code?: string; stack?: string };

async function main(): Promise<void> {
  const port = parentPort!;
  const { job, options } = workerData as { job: JobName; options: never };
  const abort = new AbortController();
  port.on('message', () => abort.abort());
  const send = (message: FromJob): void => port.postMessage(message);
  try {
    const work = await jobs[job]();
    const hooks: JobHooks = { signal: abort.signal, onProgress: (event) => send({ type: 'event', event }) };
    const result = await inGroup(options, () => work(options, hooks));
    send({ type: 'done', result });
  } catch (error) {
    const { message, stack } = error as Error;
    send({ type: 'failed', message, stack, ...(error instanceof CleanclipError && { code: error.code }) });
  } finally {
    port.close();
  }
}

void main();
