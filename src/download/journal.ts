import { closeSync, fstatSync, fsync, ftruncateSync, openSync, readSync } from 'node:fs';
import { promisify } from 'node:util';

import { dataError, optionError } from '../errors';
import { asWriteError, writeFully } from '../files';
import type { NameOf } from './names';

/** What came of a row. */
export interface Outcome {
  /** the file in images/; empty when the row has no image */
  image: string;
  /** the name that the URL gives the image, without its ending */
  name: string;
  /** the status of the last answer; 0 when none came */
  status: number;
  /** why there is no image; empty when there is one */
  error: string;
  /** bytes that came */
  bytes: number;
  /** size of the image as it came, in pixels */
  width: number;
  height: number;
}

const WINDOW = 1 << 18; // bytes that are read at once
const LONGEST = 4096; // bytes of a line

/**
 * The record of what is done, in a file that is only appended to: a line of settings, then a line for each row. The
 * last line of a row counts. A killed process leaves at most one torn line, which is cut off. Memory grows by 12 to 20
 * bytes a row, so that a row and a URL are found at once.
 */
export class Journal {
  private readonly fd: number;
  private size = 0;
  private last = -1;
  private offsets: Float64Array;
  private readonly rowsByName: RowsByName;
  private window = { start: 0, bytes: Buffer.alloc(0) };

  /**
   * Opens a journal, which is made if needed.
   * @param settings what decides the content of the images; a journal of other settings is refused
   * @param rows number of rows to make room for; more may come
   * @throws CleanclipError `ERR_OPTION` for other settings; `ERR_DATA` for a file that cannot be used
   */
  constructor(
    private readonly file: string,
    settings: Record<string, unknown>,
    rows = 1024,
  ) {
    this.offsets = new Float64Array(rows).fill(-1);
    this.rowsByName = new RowsByName(rows);
    try {
      this.fd = openSync(file, 'a+');
    } catch (error) {
      throw asWriteError(file, error);
    }
    try {
      const header = `${JSON.stringify(settings)}\n`;
      if (fstatSync(this.fd).size === 0) this.write(header);
      else this.load(header);
    } catch (error) {
      closeSync(this.fd);
      throw error;
    }
  }

  /** Records a row. The line is with the system when this returns, so that it outlives the process. */
  add(row: number, outcome: Outcome): void {
    this.index(row, this.size, outcome.name);
    const { image, name, status, error, bytes, width, height } = outcome;
    this.write(`${JSON.stringify([row, name, image, status, bytes, width, height, error])}\n`);
  }

  /** Returns what came of a row; undefined when it was not asked for. */
  get(row: number): Outcome | undefined {
    const offset = row < this.offsets.length ? this.offsets[row] : -1;
    return offset < 0 ? undefined : parseLine(this.lineAt(offset), this.file).outcome;
  }

  /**
   * Returns what came of a row of the file as it is now; undefined when it was not asked for, or had another URL then.
   * A row without a name has no URL, or its image is gone.
   */
  current({ row, url }: { row: number; url: string }, nameOf: NameOf): Outcome | undefined {
    const outcome = this.get(row);
    return outcome?.name === '' || outcome?.name === (url && nameOf(url, row)) ? outcome : undefined;
  }

  /** Returns what came of another row whose image has this name. */
  find(name: string): Outcome | undefined {
    for (const row of this.rowsByName.candidates(name)) {
      const outcome = this.get(row);
      if (outcome?.name === name) return outcome;
    }
    return undefined;
  }

  /** One more than the last row that was asked for. */
  get end(): number {
    return this.last + 1;
  }

  /** Waits until the disk has the file. */
  async sync(): Promise<void> {
    await promisify(fsync)(this.fd);
  }

  /** Closes the file. */
  close(): void {
    closeSync(this.fd);
  }

  private write(line: string): void {
    const bytes = Buffer.from(line);
    try {
      writeFully(this.fd, bytes);
    } catch (error) {
      ftruncateSync(this.fd, this.size);
      throw asWriteError(this.file, error);
    }
    this.size += bytes.length;
  }

  /** Reads the rows of an earlier run, and cuts a torn line off. */
  private load(header: string): void {
    const { size } = fstatSync(this.fd);
    const block = Buffer.alloc(WINDOW);
    let rest = Buffer.alloc(0);
    let first = true;
    for (let at = 0; at < size;) {
      const read = readSync(this.fd, block, 0, block.length, at);
      if (read === 0) break;
      at += read;
      const bytes = Buffer.concat([rest, block.subarray(0, read)]);
      let from = 0;
      for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
        const line = bytes.toString('utf8', from, end);
        if (first) this.checkSettings(line, header);
        else {
          const { row, outcome } = parseLine(line, this.file);
          this.index(row, this.size, outcome.name);
        }
        first = false;
        this.size += end + 1 - from;
        from = end + 1;
      }
      rest = bytes.subarray(from);
      if (rest.length > LONGEST) throw damaged(this.file);
    }
    ftruncateSync(this.fd, this.size);
    if (first) this.write(header);
  }

  private checkSettings(line: string, header: string): void {
    if (`${line}\n` === header) return;
    throw optionError(
      `The folder of '${this.file}' holds a download of other settings, ${line}; these are ${header.trim()}. Use the ` +
        'same flags, or another --dir.',
    );
  }

  private index(row: number, offset: number, name: string): void {
    if (row >= this.offsets.length) {
      const larger = new Float64Array(Math.max(row + 1, Math.ceil(1.5 * this.offsets.length))).fill(-1);
      larger.set(this.offsets);
      this.offsets = larger;
    }
    if (name !== '') this.rowsByName.add(row, name);
    this.offsets[row] = offset;
    this.last = Math.max(this.last, row);
  }

  /** Reads a line. Rows are asked for nearly in their order, so most lines are in the window that was read last. */
  private lineAt(offset: number): string {
    let at = offset - this.window.start;
    let end = at < 0 || at >= this.window.bytes.length ? -1 : this.window.bytes.indexOf(10, at);
    if (end < 0) {
      const bytes = Buffer.alloc(WINDOW);
      const start = Math.max(0, offset - WINDOW / 4);
      this.window = { start, bytes: bytes.subarray(0, readSync(this.fd, bytes, 0, WINDOW, start)) };
      at = offset - start;
      end = this.window.bytes.indexOf(10, at);
    }
    if (end < 0) throw damaged(this.file);
    return this.window.bytes.toString('utf8', at, end);
  }
}

function parseLine(line: string, file: string): { row: number; outcome: Outcome } {
  try {
    const [row, name, image, status, bytes, width, height, error] = JSON.parse(line) as [
      number,
      string,
      string,
      number,
      number,
      number,
      number,
      string,
    ];
    if (Number.isSafeInteger(row) && row >= 0 && typeof error === 'string')
      return { row, outcome: { name, image, status, bytes, width, height, error } };
  } catch {
    // the line is none of ours
  }
  throw damaged(file);
}

const damaged = (file: string): Error =>
  dataError(`'${file}' is damaged: a line of it cannot be read; delete it to begin the download again.`);

/** A hash table from names to rows, in typed arrays: 8 to 16 bytes a row. */
class RowsByName {
  private rows: Int32Array;
  private prints: Int32Array;
  private count = 0;

  constructor(capacity: number) {
    const slots = 2 ** Math.ceil(Math.log2((4 / 3) * capacity + 2));
    this.rows = new Int32Array(slots).fill(-1);
    this.prints = new Int32Array(slots);
  }

  add(row: number, name: string): void {
    if (4 * this.count > 3 * this.rows.length) this.grow();
    if (this.put(row, fingerprint(name))) this.count++;
  }

  /** Yields the rows whose name may be this one. */
  *candidates(name: string): Generator<number> {
    const print = fingerprint(name);
    for (let slot = this.slotOf(print); this.rows[slot] >= 0; slot = (slot + 1) & (this.rows.length - 1))
      if (this.prints[slot] === print) yield this.rows[slot];
  }

  /** Returns whether it was not there yet. */
  private put(row: number, print: number): boolean {
    let slot = this.slotOf(print);
    while (this.rows[slot] >= 0) {
      if (this.prints[slot] === print && this.rows[slot] === row) return false;
      slot = (slot + 1) & (this.rows.length - 1);
    }
    this.rows[slot] = row;
    this.prints[slot] = print;
    return true;
  }

  private slotOf(print: number): number {
    return (Math.imul(print, 0x9e3779b1) >>> 0) & (this.rows.length - 1);
  }

  private grow(): void {
    const { rows, prints } = this;
    this.rows = new Int32Array(2 * rows.length).fill(-1);
    this.prints = new Int32Array(2 * rows.length);
    rows.forEach((row, i) => row >= 0 && this.put(row, prints[i]));
  }
}

/** 32 bits of a name: FNV-1a. */
function fingerprint(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash | 0;
}
