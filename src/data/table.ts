import { dataError } from '../errors';
import { columnIndex, readCsv } from './csv';

/** A csv file in memory. */
export interface Table {
  columns: readonly string[];
  rows: readonly (readonly string[])[];
  /** returns the place of a column; throws `ERR_DATA` when there is none of that name */
  column(name: string): number;
}

/**
 * Reads a small csv file whole.
 * @throws CleanclipError `ERR_DATA` when it is missing, has a row that cannot be used, or lacks a column that is needed
 */
export async function readTable(file: string, needed: readonly string[] = []): Promise<Table> {
  let columns: string[] = [];
  const rows: string[][] = [];
  const begin = (names: string[]): ((fields: string[]) => void) => {
    columns = names;
    for (const name of needed) columnIndex(columns, name, file);
    return (fields) => rows.push(fields);
  };
  await readCsv(file, { delimiter: ',' }, begin, ({ line, reason }) => {
    throw dataError(`${file}, line ${line} cannot be used because ${reason}; correct the row.`);
  });
  return { columns, rows, column: (name) => columnIndex(columns, name, file) };
}
