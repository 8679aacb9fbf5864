import { dirname, resolve } from 'node:path';
import { dataError } from '../errors';
import { type BadRow, columnIndex, readCsv } from './csv';

/** Which columns of the file hold what, as the flags `--image_key`, `--caption_key` and `--delimiter` say. */
export interface PairColumns {
  /** column of image paths, relative to the folder of the file; default `image` */
  imageKey?: string;
  /** column of captions; default `caption` */
  captionKey?: string;
  /** one character; default `,` */
  delimiter?: string;
}

/** The memory of a {@link PairTable}: send it to a worker thread as it is, nothing is copied. */
export interface SharedPairs {
  /** folder that image paths are relative to */
  root: string;
  /** image path and caption of each row, one after another, UTF-8 */
  text: SharedArrayBuffer;
  /** uint32, two a row: where its image path ends in `text`, where its caption ends */
  ends: SharedArrayBuffer;
  /** uint8, one a row: 1 when the row is poisoned */
  backdoor: SharedArrayBuffer;
  /** int32: the rows of the file that this table has, in its order */
  rows: SharedArrayBuffer;
}

/** Rows that were left out: how many, and the first of them. */
export interface BadRows {
  count: number;
  examples: BadRow[];
}

const EXAMPLES = 20;

/**
 * Image–caption pairs in compact shared memory: about 13 bytes a row beside the text, no object a row, so millions of
 * rows are fine and worker threads read the same memory.
 */
export class PairTable {
  readonly length: number;
  private readonly text: Buffer;
  private readonly ends: Uint32Array;
  private readonly backdoor: Uint8Array;
  private readonly rows: Int32Array;

  /** @param badRows rows of the file that are not in the table */
  constructor(
    readonly shared: SharedPairs,
    readonly badRows: BadRows = { count: 0, examples: [] },
  ) {
    this.text = Buffer.from(shared.text);
    this.ends = new Uint32Array(shared.ends);
    this.backdoor = new Uint8Array(shared.backdoor);
    this.rows = new Int32Array(shared.rows);
    this.length = this.rows.length;
  }

  /** The absolute path of the image of row `i`. */
  image(i: number): string {
    return resolve(this.shared.root, this.imageField(i));
  }

  /** The image path of row `i` as the file has it. */
  imageField(i: number): string {
    const row = this.row(i);
    return this.text.toString('utf8', row === 0 ? 0 : this.ends[2 * row - 1], this.ends[2 * row]);
  }

  caption(i: number): string {
    const row = this.row(i);
    return this.text.toString('utf8', this.ends[2 * row], this.ends[2 * row + 1]);
  }

  isBackdoor(i: number): boolean {
    return this.backdoor[this.row(i)] === 1;
  }

  /** Whether any row is poisoned. */
  hasBackdoor(): boolean {
    return this.rows.some((row) => this.backdoor[row] === 1);
  }

  /** A table of some of the rows, in the order given; it shares the text of this one. */
  select(rows: ArrayLike<number>): PairTable {
    const selected = new Int32Array(new SharedArrayBuffer(4 * rows.length));
    for (let i = 0; i < rows.length; i++) selected[i] = this.row(rows[i]);
    return new PairTable({ ...this.shared, rows: selected.buffer }, this.badRows);
  }

  private row(i: number): number {
    const row = this.rows[i];
    if (row === undefined) throw new RangeError(`Expected a row from 0 to ${this.length - 1}, got ${i}.`);
    return row;
  }
}

/** Collects rows into the shared memory of a {@link PairTable}. */
export class PairTableBuilder {
  private text = Buffer.from(new SharedArrayBuffer(1 << 16));
  private ends = new Uint32Array(new SharedArrayBuffer(1 << 12));
  private backdoor = new Uint8Array(new SharedArrayBuffer(1 << 9));
  private textLength = 0;
  private length = 0;

  /** @param root folder that image paths are relative to */
  constructor(private readonly root: string) {}

  add(image: string, caption: string, isBackdoor: boolean): void {
    const row = this.length++;
    if (row === this.backdoor.length) {
      this.ends = new Uint32Array(doubled(this.ends));
      this.backdoor = new Uint8Array(doubled(this.backdoor));
    }
    this.ends[2 * row] = this.append(image);
    this.ends[2 * row + 1] = this.append(caption);
    this.backdoor[row] = isBackdoor ? 1 : 0;
  }

  finish(badRows?: BadRows): PairTable {
    const rows = new Int32Array(new SharedArrayBuffer(4 * this.length));
    for (let i = 0; i < rows.length; i++) rows[i] = i;
    const shared = (view: ArrayBufferView): SharedArrayBuffer => view.buffer as SharedArrayBuffer;
    return new PairTable(
      {
        root: this.root,
        text: shared(this.text),
        ends: shared(this.ends),
        backdoor: shared(this.backdoor),
        rows: shared(rows),
      },
      badRows,
    );
  }

  private append(text: string): number {
    while (this.textLength + 3 * text.length > this.text.length) this.text = Buffer.from(doubled(this.text));
    this.textLength += this.text.write(text, this.textLength);
    return this.textLength;
  }
}

/**
 * Reads image–caption pairs from a csv or tsv file with a header row, streaming. A column `is_backdoor` (1, 0, true, false)
 * marks poisoned rows; without it a path that contains "backdoor" counts as poisoned. Rows without an image path or with
 * a wrong number of fields are left out and listed in `badRows`.
 *
 * @throws CleanclipError ERR_DATA: file missing, empty or malformed, no such column, no usable row
 */
export async function readPairs(
  file: string,
  { imageKey = 'image', captionKey = 'caption', delimiter = ',' }: PairColumns = {},
): Promise<PairTable> {
  const builder = new PairTableBuilder(dirname(resolve(file)));
  const badRows: BadRows = { count: 0, examples: [] };
  const leaveOut = (row: BadRow): void => {
    badRows.count++;
    if (badRows.examples.length < EXAMPLES) badRows.examples.push(row);
  };
  await readCsv(
    file,
    delimiter,
    (columns) => {
      const image = columnIndex(columns, imageKey, file, '--image_key');
      const caption = columnIndex(columns, captionKey, file, '--caption_key');
      const mark = columns.indexOf('is_backdoor');
      return (fields, line) => {
        const path = fields[image];
        if (path.trim() === '') return leaveOut({ line, reason: 'it names no image' });
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

function readMark(mark: string, file: string, line: number): boolean {
  if (/^(1|1\.0|true)$/i.test(mark)) return true;
  if (/^(0|0\.0|false|)$/i.test(mark)) return false;
  throw dataError(`${file}, line ${line}: expected 1, 0, true or false in the column is_backdoor, found "${mark}".`);
}

function doubled(view: ArrayBufferView): SharedArrayBuffer {
  const larger = new SharedArrayBuffer(2 * view.byteLength);
  new Uint8Array(larger).set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  return larger;
}
