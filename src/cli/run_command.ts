import { isatty } from 'node:tty';

import { CleanclipError } from '../errors';
import type { JobHooks, ProgressEvent } from '../progress';
import { ProgressLine } from '../report/progress_line';

/**
 * Runs a job for a command: prints its log lines and a progress line, turns Ctrl-C, SIGTERM and a closed terminal into an abort and an error into one
 * sentence and an exit code (1, or 130 when stopped). It goes on when nobody reads what it prints any more, as after `| head`.
 */
export async function runCommand(program: string, job: (hooks: Required<JobHooks>) => Promise<void>): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const abort = new AbortController();
  const progress = new ProgressLine(process.stderr);
  const onProgress = (event: ProgressEvent): void => {
    if (event.type === 'log') progress.print(event.line);
    else if (event.type === 'progress') progress.update(event.done, event.total, event.text);
  };
  const stop = (): void => {
    if (!abort.signal.aborted) progress.print(`${program}: stopping; press Ctrl-C again to stop without saving.`);
    abort.abort();
  };
  const end = (): void => {
    if (process.env.WORLD_SIZE === undefined) process.exit(130);
    process.off('SIGINT', interrupt); // process.exit would wait for the job's thread, which may wait for other ranks
    process.kill(process.pid, 'SIGINT');
  };
  let interrupted = false;
  const interrupt = (): void => {
    if (interrupted) end();
    interrupted = true;
    stop();
  };
  // Under nohup, whose wish Node forgets as it starts, no stream is a terminal.
  const hangUp = [0, 1, 2].some((fd) => isatty(fd)) ? stop : (): void => {};
  // Only Ctrl-C counts twice: launchers and `timeout` send SIGTERM more than once, and have SIGKILL to be blunt.
  process.on('SIGINT', interrupt).on('SIGTERM', stop).on('SIGHUP', hangUp);
  try {
    await job({ signal: abort.signal, onProgress });
  } catch (error) {
    progress.clear();
    if (!(error instanceof CleanclipError)) throw error;
    console.error(`${program}: ${error.message}`);
    process.exitCode = error.code === 'ERR_ABORTED' ? 130 : 1;
  } finally {
    progress.clear();
    process.off('SIGINT', interrupt).off('SIGTERM', stop).off('SIGHUP', hangUp);
  }
}
