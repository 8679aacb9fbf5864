import { resolve } from 'node:path';

import { checkInteger } from '../integers';
import { type BadRow, type BadRows, leaveOut } from './bad_rows';
import { NumberList } from './number_list';
import { type SharedStrings, StringFile, StringFileWriter } from './string_file';

/** An augmented column of a csv. */
export type View = 'image' | 'caption';

/** The data of a {@link PairTable}, which can be sent to a worker thread without a copy. */
export interface SharedPairs {
  /** absolute path of the folder that image paths are relative to */
  root: string;
  /**
   * image path and caption of each usable row of the file, and those of `views` after them, alternating; several
   * captions are written as a list
   */
  strings: SharedStrings;
  /** the augmented columns of the file; absent: none */
  views?: readonly View[];
  /** one bit per usable row of the file, lowest bit first in each byte: 1 if the row is poisoned */
  backdoor: SharedArrayBuffer;
  /** number of rows of this table */
  length: number;
  /** int32, the usable row of the file for each row of this table; absent: all of them in order */
  rows?: SharedArrayBuffer;
  /** whether any usable row of the file has several captions; default false */
  several?: boolean;
}

const LIST = '\0'; // begins a stored text that is a JSON list of captions

/**
 * A table of image–caption pairs, whose text lies in a temporary file that worker threads share. Memory is about 1.1
 * bytes per row, and 4 bytes more per row of a selection. Reading a row takes a few microseconds.
 *
 * Rows are numbered from 0. Every method that takes the index of a row throws ERR_OPTION for one outside the table.
 */
export class PairTable {
  /** number of rows */
  readonly length: number;
  private readonly strings: StringFile;
  private readonly backdoor: Uint8Array;
  private readonly rows: Int32Array | undefined;
  private readonly views: readonly View[];

  /**
   * @param shared data of the table
   * @param badRows rows of the file that were left out
   */
  constructor(
    readonly shared: SharedPairs,
    readonly badRows: BadRows = { count: 0, examples: [] },
  ) {
    this.length = shared.length;
    this.strings = new StringFile(shared.strings);
    this.backdoor = new Uint8Array(shared.backdoor);
    this.rows = shared.rows && new Int32Array(shared.rows);
    this.views = shared.views ?? [];
  }

  /**
   * The absolute path of the image of row `i`, or the address of an image inside a shard, which `preprocessImage` takes
   * as well. White space around it in the file is dropped.
   */
  image(i: number): string {
    return resolve(this.shared.root, this.imageField(i).trim());
  }

  /** The image path of row `i` as it is in the file. */
  imageField(i: number): string {
    return this.strings.get(this.stringOf(i));
  }

  /** The caption of row `i`; the first one if it has several. */
  caption(i: number): string {
    return this.captions(i)[0];
  }

  /** All captions of row `i`; a loader draws one of them in each epoch. */
  captions(i: number): string[] {
    const text = this.strings.get(this.stringOf(i) + 1);
    return text.startsWith(LIST) ? (JSON.parse(text.slice(LIST.length)) as string[]) : [text];
  }

  /** The absolute path of the augmented image of row `i`; undefined when the table has no such column. */
  augmentedImage(i: number): string | undefined {
    const path = this.view(i, 'image');
    return path === undefined ? undefined : resolve(this.shared.root, path.trim());
  }

  /** The augmented caption of row `i`; undefined when the table has no such column. */
  augmentedCaption(i: number): string | undefined {
    return this.view(i, 'caption');
  }

  /** Whether any row of the file has several captions. */
  get hasSeveralCaptions(): boolean {
    return this.shared.several === true;
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

  /** Returns a table of the given rows in the given order, which shares the text of this one. */
  select(rows: ArrayLike<number>): PairTable {
    const selected = new Int32Array(new SharedArrayBuffer(4 * rows.length));
    for (let i = 0; i < rows.length; i++) selected[i] = this.row(rows[i]);
    return new PairTable({ ...this.shared, length: rows.length, rows: selected.buffer }, this.badRows);
  }

  private view(i: number, name: View): string | undefined {
    const column = this.views.indexOf(name);
    return column < 0 ? undefined : this.strings.get(this.stringOf(i) + 2 + column);
  }

  private stringOf(i: number): number {
    return (2 + this.views.length) * this.row(i);
  }

  private row(i: number): number {
    checkInteger('A row of these pairs', i, { least: 0, most: this.length - 1 });
    return this.rows ? this.rows[i] : i;
  }
}

/** Collects the rows of a {@link PairTable}. */
export class PairTableBuilder {
  private readonly strings = new StringFileWriter();
  private readonly backdoor = new NumberList(Uint8Array);
  private readonly badRows: BadRows = { count: 0, examples: [] };
  private marks = 0; // of the last rows, which do not fill a byte yet
  private length = 0;
  private several = false;
  /** the augmented columns; they are set before the first row */
  views: readonly View[] = [];

  /** @param root folder that image paths are relative to */
  constructor(readonly root: string) {}

  /**
   * Appends a row.
   * @param captions one or several
   * @param views its values in the augmented columns
   * @throws CleanclipError ERR_DATA: the folder for temporary files is full
   */
  add(image: string, captions: string | readonly string[], isBackdoor: boolean, views: readonly string[] = []): void {
    const all = typeof captions === 'string' ? [captions] : captions;
    if (all.length > 1) this.several = true;
    this.strings.add(image);
    this.strings.add(all.length > 1 || all[0].startsWith(LIST) ? LIST + JSON.stringify(all) : all[0]);
    for (const view of views) this.strings.add(view);
    if (isBackdoor) this.marks |= 1 << (this.length & 7);
    if (++this.length % 8 === 0) this.endByte();
  }

  /** Counts a row that is left out. */
  leaveOut(row: BadRow): void {
    leaveOut(this.badRows, row);
  }

  /** Returns the table of the rows that were added. */
  finish(): PairTable {
    if (this.length % 8 > 0) this.endByte();
    const { root, views, length, several } = this;
    return new PairTable(
      { root, strings: this.strings.finish(), views, backdoor: this.backdoor.finish(), length, several },
      this.badRows,
    );
  }

  private endByte(): void {
    this.backdoor.push(this.marks);
    this.marks = 0;
  }
}
