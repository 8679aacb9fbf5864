import { constants } from 'node:os';
import { isatty } from 'node:tty';

import { CleanclipError } from '../errors';
import { endOnSecondInterrupt } from '../jobs/interrupts';
import type { JobHooks, ProgressEvent } from '../progress';
import { ProgressLine } from './progress_line';

/** Lets the command go on when nobody reads what it prints any more, as after `| head`. */
export function goOnUnread(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}

/**
 * Runs a job for a command: prints its log lines and a progress line, turns Ctrl-C, SIGTERM and a closed terminal into
 * an abort and an error into one sentence and an exit code: 1, or of what stopped it 130, 143 and 129. Ctrl-C once more
 * ends the process by SIGINT, whatever it does.
 */
export async function runCommand(program: string, job: (hooks: Required<JobHooks>) => Promise<void>): Promise<void> {
  goOnUnread();
  endOnSecondInterrupt();
  const abort = new AbortController();
  const progress = new ProgressLine(process.stderr);
  const onProgress = (event: ProgressEvent): void => {
    if (event.type === 'log') progress.print(event.line);
    else if (event.type === 'progress') progress.update(event.done, event.total, event.text);
  };
  let exitCode = 130; // of ranks that stop because another was asked to
  const stop = (signal: NodeJS.Signals): void => {
    if (abort.signal.aborted) return;
    exitCode = 128 + constants.signals[signal];
    progress.print(`${program}: stopping; press Ctrl-C again to stop without saving.`);
    abort.abort();
  };
  const end = (): void => {
    // By the signal: process.exit would wait for the job's thread, which may wait for other ranks, or for a file that
    // never answers.
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
    process.exitCode = error.code === 'ERR_ABORTED' ? exitCode : 1;
  } finally {
    progress.clear();
    process.off('SIGINT', interrupt).off('SIGTERM', stop).off('SIGHUP', hangUp);
  }
}
