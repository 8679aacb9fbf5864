import { statSync } from 'node:fs';

import { CleanclipError } from '../errors';
import type { JobHooks } from '../progress';

const EVENT_EVERY = 250; // milliseconds
const LINE_EVERY = 60_000;

/**
 * Tells how far the reading of some files is, in bytes: at its begin, at most four times per second, and at its end.
 * Of long work there is a log line every minute too. An abort ends the reading.
 */
export class Listing {
  private readonly sizes: number[];
  private readonly total: number;
  private readonly startedAt = performance.now();
  private eventAt = -Infinity;
  private lineAt = this.startedAt;
  private file = 0; // number of the current one, from 1
  private before = 0; // bytes of the files before it
  private done = 0;

  /**
   * @param files paths of the files in the order of reading
   * @param what how they are called: `shards`, `the csv`
   */
  constructor(
    files: readonly string[],
    private readonly what: string,
    private readonly hooks: JobHooks,
  ) {
    this.sizes = files.map(sizeOf);
    this.total = this.sizes.reduce((sum, size) => sum + size, 0);
  }

  /** Begins with the next file. */
  next(): void {
    this.before += this.sizes[this.file - 1] ?? 0;
    this.file++;
    this.at(0);
  }

  /** Says at which byte of the current file the reading is, as {@link at} does. */
  atByte(byte: number): void {
    this.at(byte / Math.max(1, this.sizes[this.file - 1]));
  }

  /**
   * Says how much of the current file is done.
   * @param part fraction, from 0 to 1; less than before counts as that
   * @param how what is being done with it, as in `file 3 of 7 is being unpacked`; default: it is read
   * @throws CleanclipError ERR_ABORTED: the signal has aborted
   */
  at(part: number, how = ''): void {
    if (this.hooks.signal?.aborted) throw new CleanclipError(`Reading ${this.what} was stopped.`, 'ERR_ABORTED');
    this.done = Math.max(this.done, Math.floor(this.before + Math.min(part, 1) * (this.sizes[this.file - 1] ?? 0)));
    const now = performance.now();
    if (now - this.eventAt >= EVENT_EVERY) this.event(now, how);
    if (now - this.lineAt < LINE_EVERY) return;
    this.lineAt = now;
    const seconds = (now - this.startedAt) / 1000;
    const minutes = ((this.total - this.done) / this.done) * (seconds / 60);
    const left = Number.isFinite(minutes) ? `, ${Math.ceil(minutes)} min left` : '';
    this.line(
      `Reading ${this.what}: ${megabytes(this.done)} of ${megabytes(this.total)} MB, ` +
        `${megabytes(this.done / seconds)} MB per second${left}${this.fileText(how)}`,
    );
  }

  /** Says that all is read. */
  end(): void {
    const now = performance.now();
    this.done = this.total;
    this.event(now, '');
    const seconds = Math.round((now - this.startedAt) / 1000);
    if (1000 * seconds >= LINE_EVERY) this.line(`Reading ${this.what} took ${seconds} s.`);
  }

  private event(now: number, how: string): void {
    this.eventAt = now;
    const { done, total } = this;
    this.hooks.onProgress?.({ type: 'progress', done, total, text: `bytes of ${this.what} read${this.fileText(how)}` });
  }

  private line(line: string): void {
    this.hooks.onProgress?.({ type: 'log', level: 'INFO', line });
  }

  private fileText(how: string): string {
    const number = `file ${this.file} of ${this.sizes.length}`;
    return how === '' ? (this.sizes.length > 1 ? `, ${number}` : '') : `, ${number} ${how}`;
  }
}

/** The size of a file, or 0 if it cannot be told, which its reader will explain. */
function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0);
