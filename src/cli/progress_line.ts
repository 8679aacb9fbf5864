import type { WriteStream } from 'node:tty';

const REDRAW_EVERY = 100; // milliseconds
const BARS = [20, 10, 0]; // cells of the bar; a narrow terminal gets a short one, or none

/**
 * A line at the bottom of a terminal that shows the progress of a job, with its rate and the time left. It prints
 * nothing where there is no terminal.
 */
export class ProgressLine {
  private shown = false;
  private phase = { done: 0, total: NaN, startedAt: 0, doneAtStart: 0 };
  private lastDrawn = -Infinity;

  constructor(private readonly stream: Pick<WriteStream, 'isTTY' | 'columns' | 'write'>) {}

  /** Prints a line of text above the progress line. */
  print(text: string): void {
    this.clear();
    console.log(text);
  }

  /**
   * Shows how much is done, at most ten times per second. Rate and time left are those of the present phase, which ends
   * when all is done, or when something else is counted.
   * @param total 0 when it is not known
   */
  update(done: number, total: number, text: string): void {
    if (!this.stream.isTTY) return;
    const now = performance.now();
    const { phase } = this;
    const begins = done < phase.done || total !== phase.total || (total > 0 && phase.done === total);
    this.phase = begins ? { done, total, startedAt: now, doneAtStart: done } : { ...phase, done };
    if (now - this.lastDrawn < REDRAW_EVERY && done !== total) return;
    this.lastDrawn = now;
    const room = (this.stream.columns || 80) - 1;
    const tail = `${text}${this.speed(now)}`;
    const lines = BARS.map((cells) =>
      total > 0 ? `${bar(done / total, cells)}  ${done}/${total}  ${tail}` : `${done}  ${tail}`,
    );
    const line = lines.find(({ length }) => length <= room) ?? lines[BARS.length - 1];
    this.stream.write(`\r\x1b[2K${line.slice(0, room)}`);
    this.shown = true;
  }

  /** Removes the line from the terminal. */
  clear(): void {
    if (this.shown) this.stream.write('\r\x1b[2K');
    this.shown = false;
  }

  /** The rate of the phase and the time left; empty until something has been done in it. */
  private speed(now: number): string {
    const { done, total, startedAt, doneAtStart } = this.phase;
    const rate = (1000 * (done - doneAtStart)) / (now - startedAt); // per second
    if (!(rate > 0 && rate < Infinity)) return '';
    const left = total > 0 ? `  ${duration((total - done) / rate)} left` : '';
    return `  ${compact.format(rate)}/s${left}`;
  }
}

/** Shows 0.0123, 4.56, 789 and 1.23M. */
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });

function bar(share: number, cells: number): string {
  const filled = Math.round(cells * share);
  return `${'█'.repeat(filled)}${'░'.repeat(cells - filled)} ${Math.floor(100 * share)}%`.trimStart();
}

function duration(secondsLeft: number): string {
  const seconds = Math.round(secondsLeft);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts[0] > 0
    ? `${parts[0]} h ${parts[1]} min`
    : parts[1] > 0
      ? `${parts[1]} min ${parts[2]} s`
      : `${parts[2]} s`;
}
