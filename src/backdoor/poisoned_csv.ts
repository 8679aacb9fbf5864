import { writeFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';

import { writeCsv } from '../data/csv_writer';
import { type BadRows, type PairColumns, pairColumns, pairFields, type PairTable } from '../data/pairs';
import { removeLeftoversOf } from '../files';
import { writeFolderWhole } from '../folders';
import { parseMember } from '../images/members';
import type { JobHooks } from '../progress';
import type { Selection } from './selection';
import type { TriggeredImage } from './triggered';

/** A poisoned set that is to be written. */
export interface PoisonedSet {
  table: PairTable;
  selection: Selection;
  /** folder of the clean set */
  folder: string;
  /** name of the options, which the files carry */
  setting: string;
  /** number of rows */
  size: number;
  images: AsyncIterable<TriggeredImage>;
  /** draws the caption of a poisoned row; it is called once for each, in their order */
  caption: (row: number) => string;
}

/** The files of a poisoned set. */
export interface WrittenSet {
  trainData: string;
  csv?: string;
  originalCsv: string;
  imagesDir?: string;
  /** the rows that are left out, if they are more than those of the table */
  leftOut?: BadRows;
}

/**
 * Writes a poisoned set as a folder of poisoned images and a csv, see `runPoison`.
 * @throws CleanclipError ERR_DATA: a file cannot be written; also what `images` throws
 */
export async function writeCsvSet(
  { table, selection, folder, setting, images, caption }: PoisonedSet,
  options: PairColumns & { imageFormat?: 'png' | 'jpg' },
  { onProgress }: JobHooks,
): Promise<WrittenSet> {
  const { imageFormat = 'png', delimiter } = options;
  const imagesDir = join(folder, `backdoor_images_${setting}`);
  const poisoned: { row: number; name: string }[] = [];
  const write = async (temporary: string): Promise<void> => {
    for await (const { row, bytes } of images) {
      const name = imageName(row, table.imageField(row), imageFormat);
      await writeFile(join(temporary, name), bytes);
      poisoned.push({ row, name });
      const [done, total] = [poisoned.length, selection.poisoned.length];
      onProgress?.({ type: 'progress', done, total, text: 'images poisoned' });
    }
  };
  removeLeftoversOf(imagesDir);
  await writeFolderWhole(imagesDir, write, { replace: true });

  const rows = poisoned.map(({ row }) => row);
  const originalCsv = writeOriginals({ table, folder, setting }, rows, options);
  const csv = join(folder, `backdoor_${setting}.csv`);
  function* all(): Iterable<(string | number)[]> {
    for (const { row, name } of poisoned)
      yield pairFields(table, row, { image: `${basename(imagesDir)}/${name}`, caption: caption(row) });
    for (const row of selection.untouched(rows)) yield pairFields(table, row);
  }
  writeCsv(csv, pairColumns(table, options), all(), delimiter);
  return { trainData: csv, csv, originalCsv, imagesDir };
}

/** Writes `original_backdoor_<setting>.csv`: some rows as they are in the clean set. Returns its path. */
export function writeOriginals(
  { table, folder, setting }: Pick<PoisonedSet, 'table' | 'folder' | 'setting'>,
  rows: readonly number[],
  { imageKey = 'image', captionKey = 'caption', delimiter }: PairColumns,
): string {
  const file = join(folder, `original_backdoor_${setting}.csv`);
  function* fields(): Iterable<string[]> {
    for (const row of rows) yield [table.imageField(row), table.caption(row)];
  }
  writeCsv(file, [imageKey, captionKey], fields(), delimiter);
  return file;
}

/**
 * The file name of a poisoned image. It begins with the row, so that equal names from different folders do not collide.
 */
const imageName = (row: number, image: string, format: string): string => {
  const member = parseMember(image);
  const name = member === undefined ? image : member.name.slice(-LONGEST_NAME);
  return `${row}_${basename(name, extname(name))}.${format}`;
};

const LONGEST_NAME = 100; // characters of the name of an image in a shard
