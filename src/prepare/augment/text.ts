import { resolve } from 'node:path';

import { eda } from '../../augment/eda';
import type { JobHooks } from '../../progress';
import { Random } from '../../random';
import { type AugmentOptions, CsvRows, writeAugmented } from './rows';

/** Options of `augmentText`: the flags of `cleanclip augment-text` in camelCase. */
export interface AugmentTextOptions extends AugmentOptions {
  captionKey: string;
}

/** What `augmentText` or `augmentImage` wrote. */
export interface AugmentResult {
  /** absolute path of the csv */
  output: string;
  /** name of the column with the augmented captions or image paths */
  column: string;
  /** number of its rows */
  rows: number;
  /** rows of the input whose image cannot be read, which are left out; absent if there are none */
  leftOut?: { count: number; reasons: string[] };
}

/**
 * Adds a column of captions augmented by EDA to a csv. The same seed gives the same file.
 * @throws CleanclipError `ERR_DATA` when the csv cannot be read or written; `ERR_ABORTED` when the signal aborts it
 */
export async function runAugmentText(options: AugmentTextOptions, hooks: JobHooks = {}): Promise<AugmentResult> {
  const { input, output, delimiter, captionKey, seed } = options;
  const rows = await CsvRows.read(input, delimiter);
  const caption = rows.column(captionKey, input, '--caption_key');
  const column = `augmented_${captionKey}`;
  const augmented = (row: number, fields: string[]): string => eda(fields[caption], { random: new Random(seed, row) });
  const written = await writeAugmented(rows, column, augmented, options, hooks);
  return { output: resolve(output), column, rows: written };
}
