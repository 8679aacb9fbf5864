import { dataError, optionError, shown } from '../errors';
import { type BadRow, type Place, RowSplitter } from './csv_rows';
import { textChunks } from './text_chunks';

export type { BadRow } from './csv_rows';

/** Receives each row: its fields, one per column, and its position in the file (a header is line 1). */
export type RowReader = (fields: string[], place: Place) => void;

/** The format of a csv file. */
export interface CsvFormat {
  /** one character; the two characters `\t` mean a tab */
  delimiter: string;
  /** column names of a file without a header; default: the first row names the columns */
  columns?: readonly string[];
}

/**
 * Reads a csv or tsv file as pandas' `read_csv` does; see docs/data.md. The file is streamed, so memory does not grow
 * with its size.
 *
 * @param file path of the file: UTF-8 with or without a byte order mark, or UTF-16 with one
 * @param begin receives the column names without surrounding white space, and returns the reader of the rows
 * @param onBadRow receives rows that cannot be used: wrong number of fields, stray quotes, or bytes that are not UTF-8
 * @throws CleanclipError ERR_DATA: the file is missing or empty, or a quote is never closed; also what `begin` and its
 * reader throw
 */
export async function readCsv(
  file: string,
  { delimiter, columns: given }: CsvFormat,
  begin: (columns: string[]) => RowReader,
  onBadRow: (row: BadRow) => void,
): Promise<void> {
  const character = delimiterCharacter(delimiter);
  let columns = given && [...given];
  let read = columns && begin(columns);
  let layout: Layout | undefined;
  const take = (fields: string[], place: Place): void => {
    if (!columns || !read) {
      columns = fields.map((name) => name.trim());
      read = begin(columns);
      return;
    }
    layout ??= layoutOf(fields, columns.length);
    if (fields.length === columns.length + Number(layout !== 'plain')) {
      if (layout === 'plain') return read(fields, place);
      if (layout === 'index') return read(fields.slice(1), place);
      if (fields[columns.length] === '') return read(fields.slice(0, -1), place);
    }
    const named = `${given ? '--columns' : 'the header'} has ${columns.length}`;
    const expected = layout === 'plain' ? named : `the first row has ${columns.length + 1}`;
    onBadRow({ ...place, reason: `it has ${fields.length} fields where ${expected}` });
  };
  const leaveOut = (row: BadRow): void => {
    if (columns === undefined)
      throw dataError(`${file}, line ${row.line}: the header cannot be read because ${row.reason}.`);
    onBadRow(row);
  };
  let rows: RowSplitter | undefined;
  for await (const { chunk, skipped } of textChunks(file, 'a csv file')) {
    rows ??= new RowSplitter(file, character, skipped, take, leaveOut);
    rows.push(chunk, false);
  }
  rows?.push(Buffer.alloc(0), true);
  if (!columns) throw dataError(`${file} is empty: expected a header row with column names, then one row per image.`);
}

/**
 * What rows have besides the columns: nothing (`plain`), a row number in front (`index`, which R writes and pandas
 * accepts), or a delimiter at the end (`trailing`). The first row decides.
 */
type Layout = 'plain' | 'index' | 'trailing';

function layoutOf(fields: string[], columns: number): Layout {
  if (fields.length !== columns + 1) return 'plain';
  if (fields[columns] === '') return 'trailing';
  return fields[0] === '0' || fields[0] === '1' ? 'index' : 'plain';
}

/**
 * The index of a column in the header.
 *
 * @param flag the command-line flag that names this column, for the error message
 * @throws CleanclipError ERR_DATA when there is no such column
 */
export function columnIndex(columns: string[], name: string, file: string, flag?: string): number {
  const index = columns.indexOf(name);
  if (index >= 0) return index;
  const found =
    columns
      .slice(0, 10)
      .map((column) => JSON.stringify(column.slice(0, 100)))
      .join(', ') + (columns.length > 10 ? ', …' : '');
  const excel = /^sep=/i.test(columns[0])
    ? ` Remove its first line, "${shown(columns[0], 100)}", which is for Excel.`
    : '';
  const remedies = flag
    ? [
        `Name the column with ${flag}`,
        ...(columns.length === 1 ? [', or, if that is a whole row, name the right character with --delimiter'] : []),
        ', or, if the file has no header and that is its first row, name the columns with --columns, such as ' +
          '--columns caption,image.',
      ]
    : ['Rename the column.'];
  throw dataError(`${file} has no column "${name}"; its columns are ${found}.${excel} ${remedies.join('')}`);
}

function delimiterCharacter(delimiter: string): string {
  const character = delimiter === '\\t' ? '\t' : delimiter;
  if (typeof character === 'string' && character.length === 1 && !/["\n\r\ud800-\udfff]/.test(character))
    return character;
  throw optionError(
    '--delimiter must be one character such as "," or "\\t", ' +
      `not ${typeof delimiter === 'string' ? JSON.stringify(delimiter) : typeof delimiter}.`,
  );
}
