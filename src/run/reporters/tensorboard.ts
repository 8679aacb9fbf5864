import { readdirSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

import { asWriteError } from '../../files';
import { GrowingFile } from './growing_file';
import { type Beginning, type Ending, type MetricsRecord, numbersOf, type PictureSet, type Reporter } from './reporter';
import {
  encodeEvent,
  hparamsBegin,
  hparamsEnd,
  images,
  optionsTable,
  scalar,
  type SummaryValue,
  textValue,
} from './tensorboard_messages';
import { frame } from './tfrecord';

/** The status START of SessionLog. */
const START = 1;
const EVENTS = /^events\.out\.tfevents\.(\d+)\./;
const BESIDE = /^evaluation_(\d+)$/;

/**
 * Reports a run to TensorBoard, in `<run>/tensorboard/`. A resumed run gets a new event file there. It begins with the
 * event that makes TensorBoard drop what it has of later steps. A job that measures the model of a run writes to a
 * folder beside, for it may be of any step.
 */
export class TensorBoard implements Reporter {
  private file: GrowingFile | undefined;
  private lastStep = 0;

  /** @param folder folder of the run */
  constructor(private readonly folder: string) {}

  /** Opens the files of the report. */
  begin({ kind, at, history, options }: Beginning): void {
    const folder = this.folderFor(kind);
    if (kind === 'new') removeEvents(folder);
    const earlier = eventFiles(folder);
    this.file = GrowingFile.open(join(folder, nextName(earlier)));
    this.write({ file_version: 'brain.Event:2' });
    // TensorBoard keeps the first values of the plugin that it reads
    this.summary(0, [textValue('params', optionsTable(options)), ...(earlier.length > 0 ? [] : hparamsBegin(options))]);
    if (at === undefined) return;
    if (earlier.length > 0) this.write({ step: at.step + 1, session_log: { status: START } });
    else for (const record of history) this.record(record);
    this.lastStep = at.step;
  }

  /** Reports the numbers of a record. */
  record(record: MetricsRecord): void {
    // progressive removal does not say its step
    const step = record.type === 'removal' ? this.lastStep : record.step;
    this.lastStep = step;
    this.summary(step, numbersOf(record).map(scalar));
  }

  /** Shows images. */
  pictures(sets: readonly PictureSet[], { step }: { step: number }): void {
    this.summary(step, sets.flatMap(images));
  }

  /** Says how the job has ended. */
  end(ending: Ending): void {
    if (ending !== 'stopped') this.summary(0, [hparamsEnd(ending)]); // one that was stopped may go on
    this.file?.close();
    this.file = undefined;
  }

  private folderFor(kind: Beginning['kind']): string {
    const folder = join(this.folder, 'tensorboard');
    if (kind !== 'beside') return folder;
    const numbers = names(folder).map((name) => Number(BESIDE.exec(name)?.[1] ?? 0));
    return join(folder, `evaluation_${Math.max(0, ...numbers) + 1}`);
  }

  private summary(step: number, values: SummaryValue[]): void {
    if (values.length > 0) this.write({ step, summary: { value: values } });
  }

  private write(event: object): void {
    this.file?.append(frame(encodeEvent(event)));
  }
}

/** Lists a folder; one that does not exist is empty. */
function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw asWriteError(folder, error);
  }
}

const eventFiles = (folder: string): string[] => names(folder).filter((name) => EVENTS.test(name));

/** Removes the events of the earlier run that a new one replaces. */
function removeEvents(folder: string): void {
  for (const name of names(folder)) {
    if (EVENTS.test(name) || BESIDE.test(name)) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/** Returns the name of an event file that comes after the others. TensorBoard reads them in that order. */
function nextName(earlier: string[]): string {
  const last = Math.max(0, ...earlier.map((name) => Number(EVENTS.exec(name)?.[1])));
  const second = Math.max(Math.floor(Date.now() / 1000), last + 1);
  return `events.out.tfevents.${String(second).padStart(10, '0')}.${hostname()}.${process.pid}.cleanclip`;
}
