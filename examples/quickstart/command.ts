import { CleanclipError, type JobHooks } from 'cleanclip';

/**
 * Runs a job for a command: prints its log lines, shows how far it is on a terminal, and stops it on Ctrl-C or SIGTERM.
 * A second Ctrl-C ends the process at once.
 */
export async function runCommand(job: (hooks: JobHooks) => Promise<unknown>): Promise<void> {
  const abort = new AbortController();
  let exitCode = 1;
  const stop = (code: number): void => {
    if (abort.signal.aborted) process.exit(code);
    exitCode = code;
    console.error('quickstart: stopping; press Ctrl-C again to stop without saving.');
    abort.abort();
  };
  const stopBySignal = { SIGINT: () => stop(130), SIGTERM: () => stop(143) };
  for (const [signal, listener] of Object.entries(stopBySignal)) process.on(signal, listener);
  const clear = (): void => {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[2K');
  };
  const onProgress: JobHooks['onProgress'] = (event) => {
    clear();
    if (event.type === 'log') console.log(event.line);
    else if (event.type === 'progress' && process.stderr.isTTY)
      process.stderr.write(
        `${Math.floor((100 * event.done) / event.total)}%  ${event.done}/${event.total}  ${event.text}`,
      );
  };
  try {
    await job({ signal: abort.signal, onProgress });
  } catch (error) {
    if (!(error instanceof CleanclipError)) throw error;
    console.error(`quickstart: ${error.message}`);
    process.exitCode = exitCode;
  } finally {
    clear();
    for (const [signal, listener] of Object.entries(stopBySignal)) process.off(signal, listener);
  }
}
