// The main module of a rank: a process that runs its part of a job by runJob, reports to its parent, and ends with it.
import { failed } from '../../errors';
import type { FromJob } from '../messages';
import { runJob } from '../run';
import type { ToRank, Work } from './rank_process';

// Ctrl-C, SIGTERM and a closed terminal may reach every process of a group. Here only the parent acts on them, and
// tells its ranks.
process
  .on('SIGINT', () => {})
  .on('SIGTERM', () => {})
  .on('SIGHUP', () => {});
// process.exit would wait for the job's thread, which may wait for other ranks; so SIGKILL.
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
