import { join } from 'node:path';

import { CleanclipError, isAbort } from '../errors';
import { append, removeLeftovers, writeFileWhole } from '../files';
import type { ProgressEvent } from '../progress';
import { logLine } from './log_line';
import { fromAllRanks, ranks } from './ranks';
import { MetricsFile } from './reporters/metrics_file';
import {
  type Beginning,
  type Ending,
  flagName,
  type MetricsRecord,
  type PictureSet,
  type Reporter,
} from './reporters/reporter';
import type { LoopState } from './state';

export { type MetricsRecord, NO_METRICS } from './reporters/reporter';

/**
 * The files that a run writes in `logs/<name>/`: output.log, params.txt, and those of its reporters, of which
 * metrics.jsonl is always one. Of several ranks only the first writes. Warnings of the others are reported at once,
 * with `Rank r | ` in front, and written when they are {@link share shared}.
 */
export class RunLog {
  readonly history: MetricsRecord[] = [];
  private readonly outputFile: string;
  private readonly metricsFile: MetricsFile;
  private reporters: Reporter[] = [];
  private readonly rank = ranks().rank;
  private unshared: string[] = [];
  /** what could not be written once: a reporter, or the log itself with metrics.jsonl */
  private readonly refused = new Set<object>();

  /**
   * @param folder folder of the run, made if needed
   * @param onProgress also receives every line and record
   */
  constructor(
    readonly folder: string,
    private readonly onProgress: (event: ProgressEvent) => void = () => {},
  ) {
    this.outputFile = join(folder, 'output.log');
    this.metricsFile = new MetricsFile(folder);
  }

  /** Empties the files for a new run. */
  start(): void {
    writeFileWhole(this.outputFile, '');
    this.metricsFile.begin({ kind: 'new' });
  }

  /**
   * Continues the files of an interrupted run. Records of later epochs and steps are dropped, for they will be written
   * again; records of other checkpoints are kept. Half-written files of a killed process are removed.
   */
  resume(at: LoopState): void {
    for (const folder of [this.folder, join(this.folder, 'checkpoints')]) removeLeftovers(folder);
    if (!this.metricsFile.exists()) return this.start();
    this.metricsFile.begin({ kind: 'resumed', at });
    this.history.push(...this.metricsFile.kept);
  }

  /**
   * Begins the reports beside metrics.jsonl. Only the first rank may call it.
   * @throws the error of a reporter whose files cannot be opened
   */
  report(reporters: Reporter[], beginning: Omit<Beginning, 'history'>): void {
    for (const reporter of reporters) reporter.begin({ ...beginning, history: this.history });
    this.reporters = reporters;
  }

  /** Tells whether a reporter shows images. */
  get showsPictures(): boolean {
    return this.reporters.some(({ pictures }) => pictures !== undefined);
  }

  /** Writes params.txt: every option, sorted, `name: value`. */
  params(options: Record<string, unknown>): void {
    const lines = Object.keys(options)
      .map((name) => `${flagName(name)}: ${options[name] === undefined ? 'None' : String(options[name])}`)
      .sort();
    writeFileWhole(join(this.folder, 'params.txt'), `${lines.join('\n')}\n`);
  }

  /** Writes a line of information. */
  info(text: string): void {
    if (this.rank === 0) this.line('INFO', text);
  }

  /** Writes a warning. */
  warning(text: string): void {
    this.line('WARNING', text);
  }

  /** Writes lines to output.log that were reported before it began. Only the first rank has any. */
  reported(lines: readonly string[]): void {
    if (lines.length > 0) this.append(this.outputFile, lines.map((line) => `${line}\n`).join(''));
  }

  private line(level: 'INFO' | 'WARNING', text: string): void {
    const line = logLine(level, `${this.rank > 0 ? `Rank ${this.rank} | ` : ''}${text}`);
    if (this.rank > 0) this.unshared.push(line);
    else this.append(this.outputFile, `${line}\n`);
    this.onProgress({ type: 'log', level, line });
  }

  private append(file: string, text: string): void {
    this.attempt(this, () => append(file, text));
  }

  /**
   * Writes for the log or a reporter. When that fails, what it writes is lost and one warning says so, for the run need
   * not end because of it.
   */
  private attempt(writer: object, write: () => void): void {
    try {
      write();
    } catch (error) {
      if (this.refused.has(writer)) return;
      this.refused.add(writer);
      const { message } = error as Error;
      const sentence = error instanceof CleanclipError ? message : `A report failed: ${message}.`;
      this.warning(`${sentence} The run goes on; what comes until it can be written is lost.`);
    }
  }

  /** Writes the warnings of all ranks to output.log. Every rank calls it. */
  async share(): Promise<void> {
    const lines = (await fromAllRanks(this.unshared.splice(0))).flat();
    if (this.rank === 0) this.reported(lines);
  }

  /** Reports an object, to metrics.jsonl and to the other reporters. */
  metrics(record: MetricsRecord): void {
    this.history.push(record);
    if (this.rank > 0) return;
    this.attempt(this, () => this.metricsFile.record(record));
    for (const reporter of this.reporters) this.attempt(reporter, () => reporter.record(record));
    this.onProgress({ type: 'metrics', record });
  }

  /** Shows images in the reports that take them. */
  pictures(sets: readonly PictureSet[], at: { epoch: number; step: number }): void {
    for (const reporter of this.reporters) this.attempt(reporter, () => reporter.pictures?.(sets, at));
  }

  /** Does the work of a job, and tells the reporters how it has ended. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      this.end('finished');
      return result;
    } catch (error) {
      this.end(isAbort(error) ? 'stopped' : 'failed');
      throw error;
    }
  }

  private end(ending: Ending): void {
    for (const reporter of this.reporters) this.attempt(reporter, () => reporter.end?.(ending));
    this.reporters = [];
  }
}
