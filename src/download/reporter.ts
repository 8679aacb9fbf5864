import type { JobHooks } from '../progress';
import type { Tally } from './fetcher';

const LINE_EVERY = 60_000; // milliseconds between log lines
const PROGRESS_EVERY = 250;

/** Reports how far a download is. */
export class Reporter {
  private readonly timers: NodeJS.Timeout[];
  private readonly started = performance.now();

  constructor(
    private readonly rows: number,
    private readonly tally: Readonly<Tally>,
    private readonly onProgress: JobHooks['onProgress'],
  ) {
    this.timers = [setInterval(() => this.progress(), PROGRESS_EVERY), setInterval(() => this.line(), LINE_EVERY)];
  }

  /** Reports once more, and no more then. */
  close(): void {
    for (const timer of this.timers) clearInterval(timer);
    this.progress();
  }

  private progress(): void {
    const { rows, images } = this.tally;
    this.onProgress?.({ type: 'progress', done: rows, total: this.rows, text: `rows, ${images} with an image` });
  }

  private line(): void {
    const { rows, images } = this.tally;
    const hours = (this.rows - rows) / this.rate() / 3600;
    const left = Number.isFinite(hours) ? `, ${hours.toFixed(1)} hours left` : '';
    const line = `${rows} of ${this.rows} rows, ${images} with an image, ${this.rate().toFixed(0)} per second${left}`;
    this.onProgress?.({ type: 'log', level: 'INFO', line });
  }

  /** Rows per second that were asked for by this run. */
  private rate(): number {
    return (1000 * this.tally.asked) / (performance.now() - this.started);
  }
}
