import { statSync } from 'node:fs';
import { basename, isAbsolute, join, normalize, relative, resolve } from 'node:path';

import { columnIndex, readCsv } from '../data/csv';
import { writeCsv } from '../data/csv_writer';
import { dataError } from '../errors';
import { MissingImages, pathFrom } from './pairs_csv';
import type { Prepare } from './types';

/**
 * Gives the image paths of a csv another folder. All other columns stay. Without `from` only the name of each file
 * stays; with it, what follows that folder.
 */
export const relocate: Prepare = async (options, check) => {
  const { input, output, images, from, imageKey, delimiter, allowMissing } = options;
  const root = resolve(images!);
  const size = statSync(input, { throwIfNoEntry: false })?.size ?? 0;
  const missing = new MissingImages(allowMissing);
  const names = new Set<string>();
  const rows: string[][] = [];
  let header: string[] = [];
  await readCsv(
    input,
    { delimiter },
    (columns) => {
      header = columns;
      const column = columnIndex(columns, imageKey, input, '--image_key');
      return (fields, { line, byte }) => {
        const path = fields[column].trim();
        const tail = from === undefined ? basename(path) : tailOf(path, from);
        if (path === '' || tail === undefined)
          throw dataError(
            path === ''
              ? `${input}, line ${line}: the column ${imageKey} is empty.`
              : `${input}, line ${line}: '${path}' is not below the folder '${from}' of --from.`,
          );
        const image = join(root, tail);
        missing.note(image, 1);
        names.add(image);
        rows.push(fields.map((field, i) => (i === column ? pathFrom(output!, image) : field)));
        if (rows.length % 1000 === 0) check(byte, size, 'bytes of rows moved');
      };
    },
    ({ line, reason }) => {
      throw dataError(`${input}, line ${line}: ${reason}.`);
    },
  );
  check(size, size, 'bytes of rows moved');
  if (rows.length === 0) throw dataError(`${input} has a header but no rows: expected one row per image.`);
  missing.check(input);
  writeCsv(output!, header, rows, delimiter);
  return { output: resolve(output!), rows: rows.length, images: names.size, missing: missing.rows, leftOut: 0 };
};

/** The part of a path after a folder; undefined when it lies elsewhere. */
function tailOf(path: string, folder: string): string | undefined {
  const tail = relative(normalize(folder), normalize(path));
  return tail === '' || tail.startsWith('..') || isAbsolute(tail) ? undefined : tail;
}
