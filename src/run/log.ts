import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { append, removeLeftovers, writeFileWhole } from '../files';
import { readRegular } from '../input_files';
import type { ProgressEvent } from '../progress';
import { fromAllRanks, ranks } from './ranks';
import type { LoopState } from './state';

/** One object of metrics.jsonl. */
export type MetricsRecord = {
  type: 'data' | 'train' | 'evaluation' | 'removal' | 'linear_probe' | 'assumed';
  epoch: number;
  step: number;
} & Record<string, unknown>;

/**
 * What a run writes about itself in `logs/<name>/`: output.log, metrics.jsonl and params.txt. Of several ranks the
 * first writes; of the others warnings alone are told, with `Rank r | ` in front, and written when they are {@link
 * share shared}.
 */
export class RunLog {
  readonly history: MetricsRecord[] = [];
  private readonly outputFile: string;
  private readonly metricsFile: string;
  private readonly rank = ranks().rank;
  private unshared: string[] = [];
  private refused = false;

  /**
   * @param folder made if need be
   * @param onProgress also receives every line and record
   */
  constructor(
    readonly folder: string,
    private readonly onProgress: (event: ProgressEvent) => void = () => {},
  ) {
    this.outputFile = join(folder, 'output.log');
    this.metricsFile = join(folder, 'metrics.jsonl');
  }

  /** Empties the files for a new run. */
  start(): void {
    writeFileWhole(this.outputFile, '');
    writeFileWhole(this.metricsFile, '');
  }

  /**
   * Goes on with the files of an interrupted run: its records of later epochs and steps are dropped, for they will come
   * again, but not those of other checkpoints; what a killed process left half-written is removed.
   */
  resume({ epoch, step }: LoopState): void {
    for (const folder of [this.folder, join(this.folder, 'checkpoints')]) removeLeftovers(folder);
    if (!existsSync(this.metricsFile)) return this.start();
    const lines = readRegular(this.metricsFile, { wanted: 'the records of the run that goes on' })
      .toString('utf8')
      .split('\n');
    const isBefore = (record: MetricsRecord): boolean =>
      record.epoch <= epoch || (record.epoch === epoch + 1 && record.step <= step);
    const kept = lines.flatMap(parseRecord).filter((record) => record.checkpoint !== undefined || isBefore(record));
    this.history.push(...kept);
    writeFileWhole(this.metricsFile, kept.map((record) => `${JSON.stringify(record)}\n`).join(''));
  }

  /** Writes params.txt: every option, sorted, `name: value`. */
  params(options: Record<string, unknown>): void {
    const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const lines = Object.keys(options)
      .map((name) => `${snake(name)}: ${options[name] === undefined ? 'None' : String(options[name])}`)
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

  private line(level: 'INFO' | 'WARNING', text: string): void {
    const line = `${timestamp(new Date())} | ${level} | ${this.rank > 0 ? `Rank ${this.rank} | ` : ''}${text}`;
    if (this.rank > 0) this.unshared.push(line);
    else this.append(this.outputFile, `${line}\n`);
    this.onProgress({ type: 'log', level, line });
  }

  /** Adds to a file. What the disk refuses is lost, and told of once: no run need end for it. */
  private append(file: string, text: string): void {
    try {
      append(file, text);
    } catch (error) {
      if (this.refused) return;
      this.refused = true;
      this.warning(`${(error as Error).message} The run goes on; what comes until it can be written is lost.`);
    }
  }

  /** Writes the warnings of all ranks to output.log. Every rank calls it. */
  async share(): Promise<void> {
    const lines = (await fromAllRanks(this.unshared.splice(0))).flat();
    if (this.rank === 0 && lines.length > 0) this.append(this.outputFile, lines.map((line) => `${line}\n`).join(''));
  }

  /** Appends an object to metrics.jsonl. */
  metrics(record: MetricsRecord): void {
    this.history.push(record);
    if (this.rank > 0) return;
    this.append(this.metricsFile, `${JSON.stringify(record)}\n`);
    this.onProgress({ type: 'metrics', record });
  }
}

// The last line of a killed run may be cut, and a power cut leaves what it will.
function parseRecord(line: string): MetricsRecord[] {
  try {
    const record = JSON.parse(line) as MetricsRecord | null;
    return Number.isFinite(record?.epoch) && Number.isFinite(record?.step) ? [record!] : [];
  } catch {
    return [];
  }
}

function timestamp(now: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  return `${date},${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}`;
}
