import { relative, resolve } from 'node:path';
import { setImmediate as yieldToEvents } from 'node:timers/promises';

import { stringify } from 'csv-stringify/sync';

import { columnIndex, readCsv } from '../../data/csv';
import { StringFile, StringFileWriter } from '../../data/string_file';
import { CleanclipError, dataError } from '../../errors';
import { asWriteError, writeChunksWhole } from '../../files';
import type { JobHooks } from '../../progress';
import { pathFrom } from '../pairs_csv';

/** Which csv is augmented, and where the result goes. */
export interface AugmentOptions {
  input: string;
  output: string;
  delimiter: string;
  imageKey: string;
  seed: number;
}

const GROUP = 500; // rows that are formatted at a time

/** The rows of a csv, whose text lies in a temporary file. */
export class CsvRows {
  private constructor(
    readonly columns: readonly string[],
    readonly length: number,
    private readonly strings: StringFile,
  ) {}

  /**
   * Reads a csv.
   * @throws CleanclipError `ERR_DATA` when it is missing or has a row that cannot be read
   */
  static async read(file: string, delimiter: string): Promise<CsvRows> {
    const writer = new StringFileWriter();
    let columns: string[] = [];
    let length = 0;
    await readCsv(
      file,
      { delimiter },
      (found) => {
        columns = found;
        return (fields) => {
          writer.add(JSON.stringify(fields));
          length++;
        };
      },
      ({ line, reason }) => {
        throw dataError(`${file}, line ${line}: ${reason}.`);
      },
    );
    if (length === 0) throw dataError(`${file} has a header but no rows: expected one row per pair.`);
    return new CsvRows(columns, length, new StringFile(writer.finish()));
  }

  /** The fields of a row, from 0. */
  get(row: number): string[] {
    return JSON.parse(this.strings.get(row)) as string[];
  }

  /** The index of a column; see `columnIndex`. */
  column(name: string, file: string, flag: string): number {
    return columnIndex([...this.columns], name, file, flag);
  }
}

/**
 * Writes the rows with one more column, or with new values in it if it is there. Relative image paths are changed where
 * the csv is in another folder. The file appears whole or not at all.
 * @param column name of the new column
 * @param valueOf its value in a row; undefined leaves the row out
 * @returns the number of rows that were written
 */
export async function writeAugmented(
  rows: CsvRows,
  column: string,
  valueOf: (row: number, fields: string[]) => string | undefined,
  { input, output, delimiter, imageKey }: AugmentOptions,
  { signal, onProgress }: JobHooks,
): Promise<number> {
  const at = rows.columns.includes(column) ? rows.columns.indexOf(column) : rows.columns.length;
  const paths = [imageKey, `augmented_${imageKey}`].map((name) => rows.columns.indexOf(name)).filter((i) => i >= 0);
  const moved = relative(resolve(input, '..'), resolve(output, '..')) !== '';
  const format = { delimiter: delimiter === '\\t' ? '\t' : delimiter, quoted_match: /\r/ };
  let written = 0;
  async function* chunks(): AsyncGenerator<Buffer> {
    yield Buffer.from(stringify([withField(rows.columns, at, column)], format));
    for (let start = 0; start < rows.length; start += GROUP) {
      checkAborted(signal);
      const lines: string[][] = [];
      for (let row = start; row < Math.min(start + GROUP, rows.length); row++) {
        const fields = rows.get(row);
        const value = valueOf(row, fields);
        if (value === undefined) continue;
        for (const i of moved ? paths : []) fields[i] = pathFrom(output, resolve(input, '..', fields[i].trim()));
        lines.push(withField(fields, at, value));
      }
      written += lines.length;
      const done = Math.min(start + GROUP, rows.length);
      onProgress?.({ type: 'progress', done, total: rows.length, text: 'rows' });
      yield Buffer.from(stringify(lines, format));
      await yieldToEvents(); // an abort arrives here
    }
  }
  try {
    await writeChunksWhole(output, chunks());
  } catch (error) {
    throw asWriteError(output, error);
  }
  return written;
}

/** Throws `ERR_ABORTED` when the job is aborted. */
export function checkAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted)
    throw new CleanclipError('The augmentation was stopped; run the same command again.', 'ERR_ABORTED');
}

function withField(fields: readonly string[], at: number, value: string): string[] {
  const all = [...fields];
  all[at] = value;
  return all;
}
