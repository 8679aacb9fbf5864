import { stringify } from 'csv-stringify/sync';

import { asWriteError, writeChunksWhole } from '../files';
import type { Journal, Outcome } from './journal';
import type { NameOf } from './names';
import type { UrlRow, UrlTable } from './url_table';

/** Makes the fields of a row; undefined leaves the row out. */
type Fields = (row: UrlRow, outcome: Outcome) => (string | number)[] | undefined;

/** The rows with an image, as training reads them. */
const pairs: Fields = ({ caption }, { image }) => (image === '' ? undefined : [`images/${image}`, caption]);

/** What came of each row. What is not known is empty. */
const statuses: Fields = ({ row, url }, { status, error, bytes, width, height }) => [
  row,
  url,
  ...[status, error, bytes, width, height].map((value) => value || ''),
];

/**
 * Writes status.csv, and train.csv unless there are shards, whole, in the order of the file, with all rows that were
 * asked for so far.
 * @throws CleanclipError `ERR_DATA` when they cannot be written
 */
export async function writeResults(
  table: UrlTable,
  journal: Journal,
  nameOf: NameOf,
  files: { csv?: string; status: string },
): Promise<void> {
  const outcomeOf = (row: UrlRow): Outcome | undefined => journal.current(row, nameOf);
  const rows = (): AsyncGenerator<UrlRow[]> => table.rows({ start: 0, end: journal.end });
  await write(files.status, rows(), outcomeOf, ['row', 'url', 'status', 'error', 'bytes', 'width', 'height'], statuses);
  if (files.csv !== undefined) await write(files.csv, rows(), outcomeOf, ['image', 'caption'], pairs);
}

async function write(
  file: string,
  groups: AsyncGenerator<UrlRow[]>,
  outcomeOf: (row: UrlRow) => Outcome | undefined,
  header: string[],
  fields: Fields,
): Promise<void> {
  async function* chunks(): AsyncGenerator<Buffer> {
    yield Buffer.from(stringify([header]));
    for await (const rows of groups) {
      const lines = rows.flatMap((row) => {
        const outcome = outcomeOf(row);
        const line = outcome && fields(row, outcome);
        return line === undefined ? [] : [line];
      });
      if (lines.length > 0) yield Buffer.from(stringify(lines, { quoted_match: /\r/ }));
    }
  }
  try {
    await writeChunksWhole(file, chunks());
  } catch (error) {
    throw asWriteError(file, error);
  }
}
