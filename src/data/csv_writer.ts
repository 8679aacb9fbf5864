import { stringify } from 'csv-stringify/sync';

import { writeFully, writeWhole } from '../files';

const CHUNK = 10_000; // rows that are formatted at a time

/**
 * Writes a csv file atomically. Memory does not grow with the number of rows.
 *
 * @param delimiter one character; the two characters `\t` mean a tab
 */
export function writeCsv(file: string, header: string[], rows: Iterable<(string | number)[]>, delimiter = ','): void {
  const text = (chunk: (string | number)[][]): Buffer =>
    Buffer.from(stringify(chunk, { delimiter: delimiter === '\\t' ? '\t' : delimiter, quoted_match: /\r/ }));
  writeWhole(file, (fd) => {
    let chunk: (string | number)[][] = [header];
    for (const row of rows) {
      if (chunk.push(row) < CHUNK) continue;
      writeFully(fd, text(chunk));
      chunk = [];
    }
    writeFully(fd, text(chunk));
  });
}
