import type { WriteStream } from 'node:tty';

/**
 * A line at the bottom of a terminal that shows the progress of a job. It prints nothing where there is no terminal.
 */
export class ProgressLine {
  private shown = false;
  private startedAt = performance.now();
  private doneAtStart: number | undefined;
  private total: number | undefined;
  private lastDrawn = 0;

  constructor(private readonly stream: WriteStream) {}

  /** Prints a line of text above the progress line. */
  print(text: string): void {
    this.clear();
    console.log(text);
  }

  /** Shows how much is done, at most ten times per second. */
  update(done: number, total: number, text: string): void {
    if (!this.stream.isTTY) return;
    if (this.doneAtStart === undefined || done < this.doneAtStart || total !== this.total) {
      this.total = total; // another total is that of other work
      this.doneAtStart = done;
      this.startedAt = performance.now();
    }
    const now = performance.now();
    if (now - this.lastDrawn < 100 && done < total) return;
    this.lastDrawn = now;
    const rate = (done - this.doneAtStart) / (now - this.startedAt);
    const left = rate > 0 ? `  ${duration((total - done) / rate)} left` : '';
    const share = total > 0 ? done / total : 0;
    const filled = Math.round(20 * share);
    const bar = '█'.repeat(filled) + '░'.repeat(20 - filled);
    this.stream.write(`\r\x1b[2K${bar} ${Math.floor(100 * share)}%  ${done}/${total}  ${text}${left}`);
    this.shown = true;
  }

  /** Removes the line from the terminal. */
  clear(): void {
    if (this.shown) this.stream.write('\r\x1b[2K');
    this.shown = false;
  }
}

function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts[0] > 0
    ? `${parts[0]} h ${parts[1]} min`
    : parts[1] > 0
      ? `${parts[1]} min ${parts[2]} s`
      : `${parts[2]} s`;
}
