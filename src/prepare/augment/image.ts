import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, extname, join, resolve } from 'node:path';

import { WorkerPool } from '../../data/worker_pool';
import { dataError } from '../../errors';
import { removeLeftovers } from '../../files';
import { makeFolder } from '../../folders';
import type { JobHooks } from '../../progress';
import { type AugmentOptions, checkAborted, CsvRows, writeAugmented } from './rows';
import type { AugmentResult } from './text';

/** Options of `augmentImage`: the flags of `cleanclip augment-image` in camelCase. */
export interface AugmentImageOptions extends AugmentOptions {
  size?: number;
  format: 'png' | 'jpg';
}

/** How images are augmented. */
export type ImageRecipe = Pick<AugmentImageOptions, 'seed' | 'size' | 'format'>;

/** A row to augment: its image, and the file to write. */
export interface ImageTask {
  row: number;
  image: string;
  target: string;
}

const NAMED = 20; // rows left out whose reasons are told
const AHEAD = 4; // rows per thread that are given out at a time

/**
 * Adds a column of images augmented by AutoAugment to a csv. The images lie in a folder beside it, whose name tells
 * input and settings apart, so that a run that was stopped makes only what is missing. The same seed gives the same
 * files.
 * @throws CleanclipError `ERR_DATA` when the csv cannot be read or written, or no image can be read; `ERR_ABORTED` when
 * the signal aborts it
 */
export async function runAugmentImage(options: AugmentImageOptions, hooks: JobHooks = {}): Promise<AugmentResult> {
  const { input, output, delimiter, imageKey, seed, size, format } = options;
  const rows = await CsvRows.read(input, delimiter);
  const column = rows.column(imageKey, input, '--image_key');
  const stem = basename(output, extname(output));
  const name = `${stem}_augmented_${digestOf(rows, column, { seed, size, format })}`;
  const folder = join(dirname(resolve(output)), name);
  makeFolder(folder);
  removeLeftovers(folder);
  const nameOf = (row: number, image: string): string => `${row}_${basename(image, extname(image))}.${format}`;
  const root = dirname(resolve(input));
  const tasks = function* (): Generator<ImageTask> {
    for (let row = 0; row < rows.length; row++) {
      const image = rows.get(row)[column].trim();
      yield { row, image: resolve(root, image), target: join(folder, nameOf(row, image)) };
    }
  };
  const leftOut = await makeImages(tasks(), rows.length, { seed, size, format }, hooks);
  if (leftOut.size === rows.length)
    throw dataError(`None of the images of ${input} can be read; the first: ${[...leftOut.values()][0]}`);
  const valueOf = (row: number, fields: string[]): string | undefined =>
    leftOut.has(row) ? undefined : `${name}/${nameOf(row, fields[column].trim())}`;
  const written = await writeAugmented(rows, `augmented_${imageKey}`, valueOf, options, hooks);
  const reasons = [...leftOut].slice(0, NAMED).map(([row, reason]) => `Row ${row + 1} is left out: ${reason}`);
  return {
    ...{ output: resolve(output), column: `augmented_${imageKey}`, rows: written },
    ...(leftOut.size > 0 && { leftOut: { count: leftOut.size, reasons } }),
  };
}

/** Makes the images that are not there yet, on a thread for each core. Returns the rows without one, and why. */
async function makeImages(
  tasks: Iterable<ImageTask>,
  total: number,
  recipe: ImageRecipe,
  { signal, onProgress }: JobHooks,
): Promise<Map<number, string>> {
  const leftOut = new Map<number, string>();
  const threads = availableParallelism();
  const pool = new WorkerPool<ImageTask, string | undefined>(join(__dirname, 'image_worker.js'), recipe, threads);
  const next = tasks[Symbol.iterator]();
  let done = 0;
  const work = async (): Promise<void> => {
    for (let task = next.next(); task.done !== true; task = next.next()) {
      checkAborted(signal);
      const reason = existsSync(task.value.target) ? undefined : await pool.run(task.value);
      if (reason !== undefined) leftOut.set(task.value.row, reason);
      onProgress?.({ type: 'progress', done: ++done, total, text: 'images' });
    }
  };
  try {
    await Promise.all(Array.from({ length: AHEAD * threads }, work));
  } finally {
    await pool.close();
  }
  return new Map([...leftOut].sort(([a], [b]) => a - b));
}

/** Eight digits that tell inputs and settings apart. */
function digestOf(rows: CsvRows, column: number, recipe: ImageRecipe): string {
  const hash = createHash('sha256').update(JSON.stringify(recipe));
  for (let row = 0; row < rows.length; row++) hash.update(`${rows.get(row)[column]}\n`);
  return hash.digest('hex').slice(0, 8);
}
