import type { JobHooks, ProgressEvent } from '../progress';
import type { RunLog } from './log';
import { logLine } from './log_line';
import { ranks } from './ranks';

/**
 * The log lines of work that comes before the log of its run begins. They are reported at once, in the form of the log,
 * and written to it later. Of several ranks only the first has lines.
 */
export class EarlyLines {
  /** the hooks of that work */
  readonly hooks: JobHooks;
  private lines: string[] = [];

  /** @param hooks those of the job */
  constructor({ onProgress, signal }: JobHooks) {
    const report = (event: ProgressEvent): void => {
      if (event.type !== 'log') return onProgress?.(event);
      if (ranks().rank > 0) return;
      const line = logLine(event.level, event.line);
      this.lines.push(line);
      onProgress?.({ ...event, line });
    };
    this.hooks = { signal, onProgress: report };
  }

  /** Writes the lines to output.log, once. */
  writeTo(log: RunLog): void {
    log.reported(this.lines.splice(0));
  }
}
