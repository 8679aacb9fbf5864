import { dirname, resolve } from 'node:path';

import { checkOptions, checkText, dataError, optionError, shown } from '../errors';
import { show } from '../show';
import { type BadRow, columnIndex, readCsv } from './csv';
import { type SharedStrings, StringFile, StringFileWriter } from './string_file';

/**
 * Which columns of the file hold what, as the flags `--image_key`, `--caption_key`, `--delimiter` and `--columns` say.
 */
export interface PairColumns {
  /** column of image paths, relative to the folder of the file; default `image` */
  imageKey?: string;
  /** column of captions; default `caption` */
  captionKey?: string;
  /** one character; default `,` */
  delimiter?: string;
  /**
   * names of the columns of a file without a header, in their order, with commas between them: `caption,image`;
   * default: its first row has them
   */
  columns?: string;
}

/** The memory of a {@link PairTable}. It can be sent to a worker thread without a copy. */
export interface SharedPairs {
  /** folder that image paths are relative to */
  root: string;
  /** image path and caption of each row of the file, by turns */
  strings: SharedStrings;
  /** one bit a row of the file, from the lowest of each byte: 1 when the row is poisoned */
  backdoor: SharedArrayBuffer;
  /** how many rows this table has */
  length: number;
  /** int32: which rows of the file these are, in the order of the table; absent: all of them */
  rows?: SharedArrayBuffer;
}

/** Rows that were left out: how many, and the first of them. */
export interface BadRows {
  count: number;
  examples: BadRow[];
}

const EXAMPLES = 20;

/**
 * Image–caption pairs whose text lies in a temporary file. Memory is about 1.1 bytes a row, 4 more in a selection, so
 * millions of rows are fine, and worker threads read the same file. A row's text takes a few microseconds to read.
 */
export class PairTable {
  readonly length: number;
  private readonly strings: StringFile;
  private readonly backdoor: Uint8Array;
  private readonly rows: Int32Array | undefined;

  /** @param badRows rows of the file that are not in the table */
  constructor(
    readonly shared: SharedPairs,
    readonly badRows: BadRows = { count: 0, examples: [] },
  ) {
    this.length = shared.length;
    this.strings = new StringFile(shared.strings);
    this.backdoor = new Uint8Array(shared.backdoor);
    this.rows = shared.rows && new Int32Array(shared.rows);
  }

  /** The absolute path of the image of row `i`; blanks around it in the file are left out. */
  image(i: number): string {
    return resolve(this.shared.root, this.imageField(i).trim());
  }

  /** The image path of row `i` as the file has it. */
  imageField(i: number): string {
    return this.strings.get(2 * this.row(i));
  }

  /** The caption of row `i`. */
  caption(i: number): string {
    return this.strings.get(2 * this.row(i) + 1);
  }

  /** Whether row `i` is poisoned. */
  isBackdoor(i: number): boolean {
    const row = this.row(i);
    return ((this.backdoor[row >> 3] >> (row & 7)) & 1) === 1;
  }

  /** Whether any row is poisoned. */
  hasBackdoor(): boolean {
    for (let i = 0; i < this.length; i++) if (this.isBackdoor(i)) return true;
    return false;
  }

  /** A table of some of the rows, in the order given; it shares the text of this one. */
  select(rows: ArrayLike<number>): PairTable {
    const selected = new Int32Array(new SharedArrayBuffer(4 * rows.length));
    for (let i = 0; i < rows.length; i++) selected[i] = this.row(rows[i]);
    return new PairTable({ ...this.shared, length: rows.length, rows: selected.buffer }, this.badRows);
  }

  private row(i: number): number {
    if (Number.isInteger(i) && i >= 0 && i < this.length) return this.rows ? this.rows[i] : i;
    throw optionError(`A row of these pairs must be a whole number from 0 to ${this.length - 1}, but is ${show(i)}.`);
  }
}

/** Collects the rows of a {@link PairTable}. */
export class PairTableBuilder {
  private readonly strings = new StringFileWriter();
  private readonly backdoor: number[] = [];
  private length = 0;

  /** @param root folder that image paths are relative to */
  constructor(private readonly root: string) {}

  /** @throws CleanclipError ERR_DATA: the folder for temporary files is full */
  add(image: string, caption: string, isBackdoor: boolean): void {
    this.strings.add(image);
    this.strings.add(caption);
    const row = this.length++;
    if (row % 8 === 0) this.backdoor.push(0);
    if (isBackdoor) this.backdoor[row >> 3] |= 1 << (row & 7);
  }

  /** The table of the rows that were added. */
  finish(badRows?: BadRows): PairTable {
    const backdoor = new Uint8Array(new SharedArrayBuffer(this.backdoor.length));
    backdoor.set(this.backdoor);
    return new PairTable(
      { root: this.root, strings: this.strings.finish(), backdoor: backdoor.buffer, length: this.length },
      badRows,
    );
  }
}

/**
 * Reads image–caption pairs from a csv or tsv file, streaming, as pandas does; see docs/data.md. A column `is_backdoor`
 * (1, 0, true, false) marks poisoned rows; without it a path that contains "backdoor" counts as poisoned. Rows without
 * an image path, with a URL for one, with a wrong number of fields, stray quotes or bytes that are no UTF-8 are left
 * out and listed in `badRows`.
 *
 * @throws CleanclipError ERR_DATA: file missing, empty or malformed, no such column, no usable row, no room for
 * temporary files; ERR_OPTION: an argument of another type
 * @example
 * ```ts
 * const table = await readPairs('train.csv', { imageKey: 'image', captionKey: 'caption' });
 * console.log(table.length, table.badRows.count);
 * ```
 */
export async function readPairs(file: string, columns: PairColumns = {}): Promise<PairTable> {
  checkText('The file of readPairs', file);
  checkOptions('The columns of readPairs', columns);
  const { imageKey = 'image', captionKey = 'caption', delimiter = ',' } = columns;
  checkText('imageKey', imageKey);
  checkText('captionKey', captionKey);
  const names = columns.columns === undefined ? undefined : columnNames(columns.columns);
  const builder = new PairTableBuilder(dirname(resolve(file)));
  const badRows: BadRows = { count: 0, examples: [] };
  const leaveOut = (row: BadRow): void => {
    badRows.count++;
    if (badRows.examples.length < EXAMPLES) badRows.examples.push(row);
  };
  await readCsv(
    file,
    { delimiter, columns: names },
    (found) => {
      const image = columnIndex(found, imageKey, file, names ? '--columns' : '--image_key');
      const caption = columnIndex(found, captionKey, file, names ? '--columns' : '--caption_key');
      const mark = found.indexOf('is_backdoor');
      return (fields, { line, byte }) => {
        const path = fields[image];
        if (names && line === 1 && path.trim() === imageKey && fields[caption].trim() === captionKey) {
          throw dataError(`${file} has a header, for its first row names the columns; leave out --columns.`);
        }
        if (path.trim() === '') return leaveOut({ line, byte, reason: 'it names no image' });
        if (/^\s*https?:\/\//i.test(path)) {
          return leaveOut({
            line,
            byte,
            reason: 'its image is a URL, and nothing is downloaded; download the images and name their files',
          });
        }
        const isBackdoor = mark < 0 ? path.includes('backdoor') : readMark(fields[mark], file, line);
        builder.add(path, fields[caption], isBackdoor);
      };
    },
    leaveOut,
  );
  const table = builder.finish(badRows);
  if (table.length > 0) return table;
  if (badRows.count === 0) throw dataError(`${file} has a header but no rows: expected one row an image.`);
  const [{ line, reason }] = badRows.examples;
  throw dataError(`${file} has no usable row: line ${line} cannot be used because ${reason}.`);
}

const named = (file: string, { line, byte, reason }: BadRow): string =>
  `${file}, line ${line} (byte ${byte}): the row is left out because ${reason}.`;

/** What a job says of the rows that it leaves out: one sentence for each of the first, and one for all. */
export function badRowWarnings({ count, examples }: BadRows, file: string): string[] {
  const each = examples.map((row) => shown(named(file, row), Infinity));
  return count === 0
    ? []
    : [...each, `${count} ${count === 1 ? 'row' : 'rows'} of ${shown(file)} ${count === 1 ? 'is' : 'are'} left out.`];
}

/** @throws CleanclipError ERR_DATA when rows are left out, for `--strict` */
export function refuseBadRows({ count, examples }: BadRows, file: string): void {
  if (count === 0) return;
  const { line, byte, reason } = examples[0];
  throw dataError(`${file}, line ${line} (byte ${byte}): with --strict no row may be left out, but ${reason}.`);
}

/** The names that `--columns` gives. */
function columnNames(text: string): string[] {
  checkText('--columns', text);
  const names = text.split(',').map((name) => name.trim());
  if (names.every((name) => name !== '') && new Set(names).size === names.length) return names;
  throw optionError(
    '--columns must name the columns of the file in their order, such as caption,image, but ' +
      `is ${JSON.stringify(text)}.`,
  );
}

function readMark(mark: string, file: string, line: number): boolean {
  if (/^\s*(1|1\.0|true)\s*$/i.test(mark)) return true;
  if (/^\s*(0|0\.0|false|)\s*$/i.test(mark)) return false;
  throw dataError(`${file}, line ${line}: expected 1, 0, true or false in the column is_backdoor, found "${mark}".`);
}
