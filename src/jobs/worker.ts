// The thread of one job: runs it, and tells its caller of progress and the outcome.
import { parentPort, workerData } from 'node:worker_threads';

import { failed } from '../errors';
import { inGroup } from './group';
import type { FromJob } from './messages';
import type { JobHooks } from '../progress';
import { jobs, type JobName } from './registry';

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
    send(failed(error));
  } finally {
    port.close();
  }
}

void main();
