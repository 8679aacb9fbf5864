import { constants } from 'node:os';
import { isatty } from 'node:tty';

import { CleanclipError } from '../errors';
import { endOnSecondInterrupt } from '../jobs/interrupts';
import type { CommandLineFlags } from '../options/command_line';
import type { JobHooks, ProgressEvent } from '../progress';
import { ProgressLine } from './progress_line';

/** Lets the command continue when nobody reads its output any more, as after `| head`. */
export function goOnUnread(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}

/**
 * Runs a job for a command, and prints its log lines and a progress line. Ctrl-C, SIGTERM and a closed terminal abort
 * the job. An error becomes one sentence and an exit code: 1, or, after an abort, 130 (Ctrl-C), 143 (SIGTERM) or 129
 * (closed terminal). A second Ctrl-C ends the process by SIGINT at once.
 * @param program name of the command, which begins the sentence of an error
 * @param job does the work, and prints its result
 * @param flags returns the flags of the command line; the job may parse them first
 */
export async function runCommand(
  program: string,
  job: (hooks: Required<JobHooks>) => Promise<void>,
  flags: () => CommandLineFlags = () => ({}),
): Promise<void> {
  goOnUnread();
  endOnSecondInterrupt();
  const abort = new AbortController();
  const progress = new ProgressLine(process.stderr);
  const onProgress = (event: ProgressEvent): void => {
    if (flags().quiet) {
      if (event.type === 'log' && event.level === 'WARNING') console.error(event.line);
    } else if (event.type === 'log') progress.print(event.line);
    else if (event.type === 'progress') progress.update(event.done, event.total, event.text);
  };
  let exitCode = 130; // the exit code of ranks that stop because another rank was asked to
  const stop = (signal: NodeJS.Signals): void => {
    if (abort.signal.aborted) return;
    exitCode = 128 + constants.signals[signal];
    const notice = `${program}: stopping; press Ctrl-C again to stop without saving.`;
    if (flags().quiet) console.error(notice);
    else progress.print(notice);
    abort.abort();
  };
  const end = (): void => {
    // The signal ends the process at once. process.exit would wait for the job's thread, which may itself wait for
    // other ranks, or for a file that never answers.
    process.off('SIGINT', interrupt);
    process.kill(process.pid, 'SIGINT');
    process.exit(130); // the first process of a container does not die of its own signals
  };
  let interrupted = false;
  const interrupt = (): void => {
    if (interrupted) end();
    interrupted = true;
    stop('SIGINT');
  };
  // Under nohup no stream is a terminal; SIGHUP is ignored then, as nohup asks, for Node resets that at its start.
  const hangUp = [0, 1, 2].some((fd) => isatty(fd)) ? stop : (): void => {};
  // Only a second Ctrl-C ends at once. Launchers and `timeout` may send SIGTERM repeatedly, and use SIGKILL to end.
  process.on('SIGINT', interrupt).on('SIGTERM', stop).on('SIGHUP', hangUp);
  try {
    await job({ signal: abort.signal, onProgress });
  } catch (error) {
    progress.clear();
    if (!(error instanceof CleanclipError)) throw error;
    console.error(`${program}: ${error.message}`);
    process.exitCode = error.code === 'ERR_ABORTED' ? exitCode : 1;
  } finally {
    progress.clear();
    process.off('SIGINT', interrupt).off('SIGTERM', stop).off('SIGHUP', hangUp);
  }
}
