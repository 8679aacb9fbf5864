import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { asWriteError, writeFileWhole } from '../../files';
import { GrowingFile } from './growing_file';
import { type Beginning, type Ending, type MetricsRecord, numbersOf, type PictureSet, type Reporter } from './reporter';
import { continueFile } from './wandb_continue';
import { frameRecord, HEADER } from './wandb_log';
import { folderName, newId, readId, rememberId } from './wandb_names';
import { encodeRecord, firstRecords, type Item, item, type WandbRecord, type WandbRun } from './wandb_records';

/** What a reporter tells the user, in output.log. */
export interface Teller {
  info(text: string): void;
  warning(text: string): void;
}

/**
 * Reports a run to Weights & Biases: it writes the files of an offline run, `<run>/wandb/offline-run-<date>-<id>/`,
 * which `wandb sync` sends. A resumed run goes on with its id and its file, without what it will write again.
 */
export class WeightsAndBiases implements Reporter {
  private file: GrowingFile | undefined;
  private folder = '';
  private start = Date.now();
  private records = 0;
  private rows = 0;
  private lastStep = 0;

  /** @param run folder of the run */
  constructor(
    private readonly run: string,
    private readonly tell: Teller,
  ) {}

  /** Opens the files of the report. */
  begin({ kind, at, history, options }: Beginning): void {
    if (process.env.WANDB_MODE === 'disabled') {
      this.tell.warning('WANDB_MODE is disabled, so nothing is written for Weights & Biases.');
      return;
    }
    const base = join(this.run, 'wandb');
    const id = (kind === 'resumed' ? readId(base) : undefined) ?? newId();
    const run = { id, start: this.start, options, beside: kind === 'beside' };
    const earlier = at === undefined ? undefined : folderOf(base, id);
    if (at !== undefined && earlier !== undefined) this.goOn(earlier, run, at);
    else this.open(join(base, folderName(id, this.start)), run);
    if (kind !== 'beside') rememberId(base, id);
    if (at !== undefined && earlier === undefined) for (const record of history) this.record(record);
    this.lastStep = at?.step ?? 0;
    this.announce();
  }

  /** Reports the numbers of a record. */
  record(record: MetricsRecord): void {
    const step = record.type === 'removal' ? this.lastStep : record.step;
    this.lastStep = step;
    const values = numbersOf(record).map(([name, value]) => item(name, value));
    if (values.length > 0) this.row(values, { epoch: record.epoch, step });
  }

  /** Shows images. */
  pictures(sets: readonly PictureSet[], at: { epoch: number; step: number }): void {
    if (this.file === undefined) return;
    const row = sets.filter(({ pictures }) => pictures.length > 0).map((set) => this.pictureItem(set, at.step));
    if (row.length > 0) this.row(row, at);
  }

  /** Says how the job has ended. */
  end(ending: Ending): void {
    if (this.file === undefined) return;
    const runtime = Math.round((Date.now() - this.start) / 1000);
    this.write({ exit: { exit_code: { finished: 0, stopped: 255, failed: 1 }[ending], runtime } });
    this.file.close();
    this.file = undefined;
    this.tell.info(`Weights & Biases: 'wandb sync ${this.folder}' sends this run`);
  }

  private open(folder: string, run: WandbRun): void {
    this.folder = folder;
    this.file = GrowingFile.open(join(folder, `run-${run.id}.wandb`));
    this.file.append(HEADER);
    for (const record of firstRecords(run)) this.write(record);
    this.copyParams();
  }

  private goOn(folder: string, run: WandbRun, at: Required<Beginning>['at']): void {
    this.folder = folder;
    const path = join(folder, `run-${run.id}.wandb`);
    const kept = continueFile(path, run, at);
    Object.assign(this, kept);
    // `wandb sync` leaves these beside a file that it has sent, and would not send it again
    for (const mark of ['synced', 'syncstate']) rmSync(`${path}.${mark}`, { force: true });
    this.file = GrowingFile.open(path);
    this.copyParams();
  }

  private copyParams(): void {
    const [from, to] = [join(this.run, 'params.txt'), join(this.folder, 'files', 'params.txt')];
    try {
      mkdirSync(dirname(to), { recursive: true });
      if (existsSync(from)) copyFileSync(from, to);
    } catch (error) {
      throw asWriteError(to, error);
    }
  }

  private announce(): void {
    this.tell.info(`Weights & Biases: writing an offline run to '${this.folder}'`);
    const { WANDB_MODE: mode, WANDB_API_KEY: key } = process.env;
    if (mode === 'online' || mode === 'shared' || (key && !mode)) {
      const cause = mode ? `WANDB_MODE is ${mode}` : 'WANDB_API_KEY is set';
      this.tell.warning(
        `${cause}, but cleanclip sends nothing to Weights & Biases itself; 'wandb sync ${this.folder}' does.`,
      );
    }
  }

  /** Appends a row of history, and gives its values to the summary. */
  private row(values: Item[], { epoch, step }: { epoch: number; step: number }): void {
    if (this.file === undefined) return;
    const now = Date.now();
    const row = [
      ...values,
      item('epoch', epoch),
      item('step', step),
      item('_step', this.rows),
      item('_runtime', (now - this.start) / 1000),
      item('_timestamp', now / 1000),
    ];
    this.write({ history: { item: row, step: { num: this.rows } } });
    this.rows++;
    this.write({ summary: { update: row } });
  }

  private pictureItem({ name, pictures }: PictureSet, step: number): Item {
    const files = pictures.map(({ png }, i) => {
      const path = `media/images/${name}_${step}_${i}.png`;
      writeFileWhole(join(this.folder, 'files', path), png);
      return path;
    });
    this.write({ files: { files: files.map((path) => ({ path })) } });
    const [{ width, height }] = pictures;
    return item(name, {
      ...{ _type: 'images/separated', format: 'png', width, height, count: files.length },
      ...{ filenames: files, captions: pictures.map(({ caption }) => caption) },
    });
  }

  private write(record: WandbRecord): void {
    if (this.file === undefined) return;
    this.file.append(frameRecord(encodeRecord({ ...record, num: this.records + 1 }), this.file.size));
    this.records++;
  }
}

/** Finds the folder of a run that an earlier process has left. */
function folderOf(base: string, id: string): string | undefined {
  const names = existsSync(base) ? readdirSync(base) : [];
  const own = names.filter((name) => name.startsWith('offline-run-') && name.endsWith(`-${id}`)).sort();
  const found = own.findLast((name) => existsSync(join(base, name, `run-${id}.wandb`)));
  return found === undefined ? undefined : join(base, found);
}
