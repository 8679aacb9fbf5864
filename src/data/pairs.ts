import { resolve } from 'node:path';

import { checkOptions, checkText, dataError } from '../errors';
import { checkHooks, type JobHooks } from '../progress';
import { readCsvPairs } from './csv_pairs';
import { Listing } from './listing';
import type { PairColumns } from './pair_columns';
import { type PairTable, PairTableBuilder } from './pair_table';
import type { ParquetThreads } from './parquet_reader';
import type { SampleKeys } from './samples';
import { pairFolder, shardFiles } from './shard_files';

export { pairColumns, pairFields } from './csv_pairs';
export { type BadRows, badRowWarnings, refuseBadRows } from './bad_rows';
export type { PairColumns } from './pair_columns';
export { PairTable, PairTableBuilder, type SharedPairs, type View } from './pair_table';

/**
 * Reads image–caption pairs from a csv or tsv file, from the tars of a WebDataset, or from parquet files as Hugging
 * Face stores image sets; see docs/data.md and docs/shards.md. Images are not opened, and memory does not grow with the
 * files. Bad rows are left out and counted in `badRows`.
 *
 * - A csv is read as pandas' `read_csv` does. A column `is_backdoor` (1, 0, true, false) marks poisoned rows; without
 *   it, a path that contains "backdoor" counts as poisoned.
 * - Shards are named by `shards/{00000..00331}.tar` or `train-*.parquet`, and `::` joins sets. Their rows are numbered
 *   in that order. An image inside a shard is read from its place there, when a batch needs it. Only a parquet with a
 *   compressed image column is unpacked once, into a tar beside it.
 *
 * @param file path of the csv, or of the shards
 * @param columns see {@link PairColumns} for the defaults
 * @param hooks `onProgress` receives how many bytes are read, and a log line every minute; `signal` ends the reading
 * @throws CleanclipError ERR_DATA: a file is missing, empty or malformed, lacks a column or has no usable row, or the
 * disk of temporary files is full; ERR_OPTION: an argument has another type, or `delimiter` or `columns` is invalid;
 * ERR_ABORTED: the signal has aborted
 * @example
 * ```ts
 * const table = await readPairs('train.csv', { imageKey: 'image', captionKey: 'caption' });
 * const shards = await readPairs('shards/{00000..00331}.tar');
 * console.log(table.length, table.badRows.count, shards.length);
 * ```
 */
export async function readPairs(file: string, columns: PairColumns = {}, hooks: JobHooks = {}): Promise<PairTable> {
  checkText('The file of readPairs', file);
  checkOptions('The columns of readPairs', columns);
  checkOptions('The hooks of readPairs', hooks);
  checkHooks(hooks);
  const { imageKey = 'image', captionKey = 'caption' } = columns;
  checkText('imageKey', imageKey);
  checkText('captionKey', captionKey);
  const builder = new PairTableBuilder(resolve(pairFolder(file)));
  const shards = shardFiles(file);
  if (columns.augmentedColumns && shards !== undefined)
    throw dataError(`${file} names shards, which have no augmented columns; leave out --augmented_columns.`);
  const listing = new Listing(shards ?? [file], shards === undefined ? 'the csv' : 'shards', hooks);
  if (shards === undefined) await readCsvPairs(file, columns, builder, listing);
  else await readShards(shards, { imageKey, captionKey }, builder, listing);
  listing.end();
  const table = builder.finish();
  if (table.length > 0) return table;
  const { count, examples } = table.badRows;
  if (count === 0)
    throw dataError(
      shards === undefined
        ? `${file} has a header but no rows: expected one row per image.`
        : `${file} has no pairs: expected an image and a caption in each sample.`,
    );
  const [{ line, where, reason }] = examples;
  throw dataError(`${file} has no usable row: ${where ?? `line ${line}`} cannot be used because ${reason}.`);
}

/** Reads shards in their order. The packages that read them are loaded only then. */
async function readShards(files: string[], keys: SampleKeys, table: PairTableBuilder, listing: Listing): Promise<void> {
  const { readTarPairs } = await import('./tar_pairs');
  const { readParquetPairs } = await import('./parquet_pairs');
  const { parquetThreads } = await import('./parquet_reader');
  let threads: ParquetThreads | undefined;
  try {
    for (const file of files) {
      listing.next();
      if (/\.tar$/i.test(file)) await readTarPairs(file, keys, table, listing);
      else await readParquetPairs(file, keys, table, { threads: (threads ??= parquetThreads()), listing });
    }
  } finally {
    await threads?.close();
  }
}
