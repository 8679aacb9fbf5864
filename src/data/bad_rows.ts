import { dataError, shown } from '../errors';
import type { BadRow } from './csv_rows';

export type { BadRow } from './csv_rows';

/** Rows that were left out. */
export interface BadRows {
  /** number of rows that were left out */
  count: number;
  /** the first 20 of them */
  examples: BadRow[];
}

const EXAMPLES = 20;

/** Counts a row that is left out, and keeps it if it is one of the first. */
export function leaveOut(badRows: BadRows, row: BadRow): void {
  badRows.count++;
  if (badRows.examples.length < EXAMPLES) badRows.examples.push(row);
}

/** Where a row is. */
const placeOf = (file: string, { line, byte, where }: BadRow): string =>
  where ?? `${file}, line ${line} (byte ${byte})`;

/** The warnings of a job about the rows that it leaves out: one sentence for each example, and one for all. */
export function badRowWarnings({ count, examples }: BadRows, file: string): string[] {
  if (count === 0) return [];
  const each = examples.map((row) =>
    shown(`${placeOf(file, row)}: the row is left out because ${row.reason}.`, Infinity),
  );
  return [
    ...each,
    `${count} ${count === 1 ? 'row' : 'rows'} of ${shown(file)} ${count === 1 ? 'is' : 'are'} left out.`,
  ];
}

/**
 * Checks the rows of a file for `--strict`.
 * @throws CleanclipError ERR_DATA when rows were left out
 */
export function refuseBadRows({ count, examples }: BadRows, file: string): void {
  if (count === 0) return;
  throw dataError(`${placeOf(file, examples[0])}: with --strict no row may be left out, but ${examples[0].reason}.`);
}
