// A rank: a process that does its part of a job as runJob does, tells its parent of it, and is gone when its parent is.
import { failed } from '../../errors';
import type { FromJob } from '../messages';
import { runJob } from '../run';
import type { ToRank, Work } from './rank_process';

// Ctrl-C, what stops a service and a closed terminal reach every process of a group: here it is the parent that says
// what they mean.
process
  .on('SIGINT', () => {})
  .on('SIGTERM', () => {})
  .on('SIGHUP', () => {});
// Not process.exit: it would wait for the job's thread, which may wait for other ranks.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));

const abort = new AbortController();
process.on('message', (message: ToRank) => {
  if (message === 'abort') abort.abort();
  else void main(message);
});

const send = (message: FromJob, sent?: () => void): boolean => process.send!(message, undefined, undefined, sent);

async function main({ job, options }: Work): Promise<void> {
  const outcome = await runJob(job, options, {
    signal: abort.signal,
    onProgress: (event) => send({ type: 'event', event }),
  }).then((result): FromJob => ({ type: 'done', result }), failed);
  send(outcome, () => process.exit());
}
