import { isAscii, isUtf8 } from 'node:buffer';

import { dataError } from '../errors';

/** The position in a file at which a row begins. */
export interface Place {
  /** line number, from 1 */
  line: number;
  /** byte offset in the file as UTF-8, from 0 */
  byte: number;
}

/** A row that cannot be used. */
export interface BadRow extends Place {
  /** why, as the end of a sentence */
  reason: string;
  /** where it is, when not at a line of the file that was named: `a.tar, sample '0001' (byte 512)` */
  where?: string;
}

const LONGEST_ROW = 1 << 20; // bytes; without a limit, an unclosed quote would swallow the rest of the file
const MOST_READ_AGAIN = 1 << 26; // bytes that are read again because a quote before them was a stray one

/**
 * Splits csv text into rows and fields as the C parser of pandas' `read_csv` does. Lines end with LF, CR LF or CR, in
 * any mixture. Blank lines are skipped. A field that begins with `"` ends at the next single `"`; what follows is taken
 * as it is, and so is any other `"`.
 *
 * It differs from pandas where pandas would join or change rows silently. A row is bad if
 * one of its quotes closes in the middle of a field on a later line, or if it has bytes that are not UTF-8.
 *
 * The text is split as Latin-1, one character per byte; then each field is decoded as UTF-8.
 */
export class RowSplitter {
  private rest: Buffer = Buffer.alloc(0);
  private place: Place;
  private text = '';
  private ascii = true;
  private last = false;
  // index of the next of these characters, at or after the row that is being read; -1: unknown
  private quote = -1;
  private lineFeed = -1;
  private carriageReturn = -1;
  private readAgain = 0;
  private readonly delimiter: string;

  /**
   * @param delimiter one character
   * @param start byte offset in the file at which its text begins
   * @param take receives each row
   * @param leaveOut receives each row that cannot be used
   */
  constructor(
    private readonly file: string,
    delimiter: string,
    start: number,
    private readonly take: (fields: string[], place: Place) => void,
    private readonly leaveOut: (row: BadRow) => void,
  ) {
    this.delimiter = Buffer.from(delimiter).toString('latin1');
    this.place = { line: 1, byte: start };
  }

  /**
   * Takes the next bytes of the file. They must not change before the next call.
   * @param last whether the file ends here
   * @throws CleanclipError ERR_DATA: a quote is never closed, or a row is longer than 1 MiB
   */
  push(chunk: Buffer, last: boolean): void {
    const bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    this.text = bytes.toString('latin1');
    this.ascii = isAscii(bytes);
    this.last = last;
    this.forgetNext();
    let at = 0;
    while (at < this.text.length) {
      const next = this.row(at);
      if (next < 0) break;
      this.place.byte += next - at;
      at = next;
    }
    this.checkLength(this.text.length - at);
    this.rest = bytes.subarray(at);
  }

  /** Reads the row that begins at `at`. Returns where the next row begins, or -1 if this one is not complete yet. */
  private row(at: number): number {
    const end = this.lineEnd(at);
    if (end < 0) return -1;
    if (this.quote < at) this.quote = this.find('"', at);
    if (this.quote < end) return this.quotedRow(at);
    this.checkLength(end - at);
    const line = this.text.slice(at, end);
    if (!this.isBlank(line)) this.emit(line.split(this.delimiter));
    this.place.line++;
    return this.afterLineEnd(end);
  }

  private quotedRow(start: number): number {
    const { text, delimiter } = this;
    const fields: string[] = [];
    let at = start;
    let moreLines = 0;
    for (;;) {
      let field = '';
      if (text[at] === '"') {
        for (let more = true; more;) {
          const closing = text.indexOf('"', ++at);
          if (closing < 0 && this.last) throw this.fault('has a quote that is never closed');
          if (closing < 0 || (closing + 1 === text.length && !this.last)) return -1;
          more = text[closing + 1] === '"';
          field += text.slice(at, more ? closing + 1 : closing);
          at = closing + 1;
        }
        const lines = field.match(/\r\n?|\n/g)?.length ?? 0;
        moreLines += lines;
        if (lines > 0 && at < text.length && !text.startsWith(delimiter, at) && !'\r\n'.includes(text[at]))
          return this.strayQuote(start, at);
      }
      const lineEnd = this.lineEnd(at);
      if (lineEnd < 0) return -1;
      const end = Math.min(lineEnd, this.find(delimiter, at));
      fields.push(field + text.slice(at, end));
      at = end + delimiter.length;
      if (end < lineEnd) continue;
      this.checkLength(end - start);
      this.emit(fields);
      this.place.line += moreLines + 1;
      return this.afterLineEnd(end);
    }
  }

  /** Leaves out a row with a stray quote, and continues with its second line as a new row. */
  private strayQuote(start: number, at: number): number {
    this.readAgain += at - start;
    if (this.readAgain > MOST_READ_AGAIN)
      throw this.fault(
        'is one of many whose quotes close in the middle of later rows; double the quotes, or leave them out',
      );
    this.leaveOut({
      ...this.place,
      reason: 'it has a quote that closes in the middle of a later line; double it, and put the field in quotes',
    });
    this.forgetNext();
    this.place.line++;
    return this.afterLineEnd(this.lineEnd(start));
  }

  private emit(fields: string[]): void {
    if (!this.ascii) {
      for (let i = 0; i < fields.length; i++) {
        if (!/[\x80-\xff]/.test(fields[i])) continue;
        const bytes = Buffer.from(fields[i], 'latin1');
        if (!isUtf8(bytes)) return this.notUtf8(i, bytes);
        fields[i] = bytes.toString();
      }
    }
    this.take(fields, this.place);
  }

  private notUtf8(index: number, bytes: Buffer): void {
    const bad = firstOutsideUtf8(bytes);
    const value = bytes[bad].toString(16).toUpperCase().padStart(2, '0');
    const reason = `byte ${bad + 1} of its field ${index + 1}, 0x${value}, is no UTF-8; save the file as UTF-8`;
    this.leaveOut({ ...this.place, reason });
  }

  /** The end of the line that contains `at`, or -1 if it has not been read yet. */
  private lineEnd(at: number): number {
    if (this.lineFeed < at) this.lineFeed = this.find('\n', at);
    if (this.carriageReturn < at) this.carriageReturn = this.find('\r', at);
    const end = Math.min(this.lineFeed, this.carriageReturn);
    if (end === Infinity) return this.last ? this.text.length : -1;
    return end === this.text.length - 1 && this.text[end] === '\r' && !this.last ? -1 : end; // a line feed may follow
  }

  private readonly afterLineEnd = (end: number): number =>
    Math.min(end + (this.text.startsWith('\r\n', end) ? 2 : 1), this.text.length);

  private find(what: string, from: number): number {
    const index = this.text.indexOf(what, from);
    return index < 0 ? Infinity : index;
  }

  private forgetNext(): void {
    this.quote = this.lineFeed = this.carriageReturn = -1;
  }

  private isBlank(line: string): boolean {
    if (line === '') return true;
    return (line[0] === ' ' || line[0] === '\t') && !line.includes(this.delimiter) && /^[ \t]*$/.test(line);
  }

  private checkLength(bytes: number): void {
    if (bytes > LONGEST_ROW) {
      throw this.fault(
        `is longer than ${LONGEST_ROW} bytes, perhaps because a quote is never closed; close it, or shorten the row`,
      );
    }
  }

  private fault(what: string): Error {
    return dataError(`${this.file}, line ${this.place.line}: the row that begins here ${what}.`);
  }
}

function firstOutsideUtf8(bytes: Buffer): number {
  let at = 0;
  while (at < bytes.length) {
    const lead = bytes[at];
    const size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (!isUtf8(bytes.subarray(at, at + size))) break;
    at += size;
  }
  return at;
}
