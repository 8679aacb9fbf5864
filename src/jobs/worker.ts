// The main module of the thread of one job: runs it, and reports progress and outcome to its caller.
import { parentPort, workerData } from 'node:worker_threads';

import { failed } from '../errors';
import type { JobHooks } from '../progress';
import { addon } from '../torch/addon';
import { inGroup } from './group';
import { holdingRun } from './hold';
import type { FromJob } from './messages';
import { type JobName, jobs, type Work } from './registry';

async function main(): Promise<void> {
  const port = parentPort!;
  const { job, options, endOnInterrupt } = workerData as { job: JobName; options: never; endOnInterrupt: boolean };
  const abort = new AbortController();
  port.on('message', () => abort.abort());
  const send = (message: FromJob): void => port.postMessage(message);
  try {
    const work: Work = await jobs[job]();
    if (endOnInterrupt) addon().endOnSecondInterrupt();
    const hooks: JobHooks = { signal: abort.signal, onProgress: (event) => send({ type: 'event', event }) };
    const result = await inGroup(options, () => holdingRun(options, () => work(options, hooks)));
    send({ type: 'done', result });
  } catch (error) {
    send(failed(error));
  } finally {
    port.close();
  }
}

void main();
