import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { parse, type CsvError } from 'csv-parse';
import { CleanclipError, dataError, optionError } from '../errors';

/** Takes one row: as many fields as the header has columns, and the number of the line it ends on (the header is line 1). */
export type RowReader = (fields: string[], line: number) => void;

/** A row that cannot be used, and why. */
export interface BadRow {
  line: number;
  reason: string;
}

const LONGEST_ROW = 1 << 20; // bytes; an unclosed quote would swallow the rest of the file otherwise

/**
 * Streams a csv or tsv file with a header row; fields may be quoted with `"`. Memory does not grow with the file.
 *
 * @param file path of the file, UTF-8 with or without a byte order mark
 * @param delimiter one character; the two characters `\t` mean a tab
 * @param begin receives the column names and returns what takes each row
 * @param onBadRow receives rows whose number of fields is not the header's
 * @throws CleanclipError ERR_DATA: missing or empty file, malformed quoting, or whatever `begin` and its reader throw
 */
export async function readCsv(
  file: string,
  delimiter: string,
  begin: (columns: string[]) => RowReader,
  onBadRow: (row: BadRow) => void,
): Promise<void> {
  let columns: string[] | undefined;
  let read: RowReader | undefined;
  let lastLine = 0;
  const parser = parse({
    delimiter: delimiterCharacter(delimiter),
    bom: true,
    skip_empty_lines: true,
    relax_column_count: true,
    max_record_size: LONGEST_ROW,
    on_record: (fields: string[], { lines }) => {
      lastLine = lines;
      if (!columns || !read) {
        columns = fields;
        read = begin(fields);
      } else if (fields.length === columns.length) {
        read(fields, lines);
      } else {
        onBadRow({ line: lines, reason: `it has ${fields.length} fields where the header has ${columns.length}` });
      }
      return null;
    },
  });
  parser.resume();
  try {
    await pipeline(createReadStream(file), parser);
  } catch (error) {
    throw asDataError(error, file, lastLine + 1);
  }
  if (!columns) {
    throw dataError(`${file} is empty: expected a header row with column names, then one row an image.`);
  }
}

/**
 * The position of a column in the header.
 *
 * @param flag the command-line flag that names this column, for the error message
 */
export function columnIndex(columns: string[], name: string, file: string, flag?: string): number {
  const index = columns.indexOf(name);
  if (index >= 0) return index;
  const found = columns.map((column) => JSON.stringify(column)).join(', ');
  const remedy = flag ? ` Name the column with ${flag}` : ' Rename the column';
  const hint = columns.length === 1 ? ', or, if that is a whole row, the right character with --delimiter.' : '.';
  throw dataError(`${file} has no column "${name}"; its columns are ${found}.${remedy}${flag ? hint : '.'}`);
}

function delimiterCharacter(delimiter: string): string {
  const character = delimiter === '\\t' ? '\t' : delimiter;
  if (character.length !== 1 || character === '"' || character === '\n' || character === '\r') {
    throw optionError(`--delimiter must be one character such as "," or "\\t", not ${JSON.stringify(delimiter)}.`);
  }
  return character;
}

function asDataError(error: unknown, file: string, line: number): unknown {
  if (error instanceof CleanclipError) return error;
  const { code } = error as NodeJS.ErrnoException | CsvError;
  switch (code) {
    case 'ENOENT':
      return dataError(`${file} does not exist: expected a csv file there.`, error);
    case 'EISDIR':
      return dataError(`${file} is a folder: expected a csv file there.`, error);
    case 'CSV_MAX_RECORD_SIZE':
      return dataError(`${file}, line ${line}: the row that begins here is longer than ${LONGEST_ROW} bytes, as one is whose quote is never closed; shorten it, or close the quote.`, error);
    case 'CSV_QUOTE_NOT_CLOSED':
      return dataError(`${file}, line ${line}: the row that begins here has a quote that is never closed.`, error);
    case 'INVALID_OPENING_QUOTE':
    case 'CSV_INVALID_CLOSING_QUOTE':
      return dataError(
        `${file}, line ${line}: the row that begins here has a stray quote; put the field in quotes and double those inside ("").`,
        error,
      );
    default:
      return dataError(`${file} cannot be read: ${(error as Error).message}`, error);
  }
}
