import { isUtf8 } from 'node:buffer';

import { textChunks } from '../data/text_chunks';
import { dataError, optionError } from '../errors';
import { type Columns, findColumns, isUrl } from './columns';

/** A row of the file: its caption and URL, or why it has none. */
export interface UrlRow {
  /** number of the row, from 0; a header and blank lines do not count */
  row: number;
  caption: string;
  /** the URL; empty where `fault` says why it cannot be used */
  url: string;
  fault?: string;
}

/** Which rows of a file are read. */
export interface RowRange {
  /** first row, from 0 */
  start: number;
  /** row before which to stop; default: the last one */
  end?: number;
}

const SAMPLE = 100; // rows that tell which column is which
const LONGEST_LINE = 1 << 20; // bytes

/**
 * A file of captions and URLs. A row is a line: quotes have no meaning, unless they enclose a whole field as csv
 * writers put them. So a stray quote never joins two rows. The file is streamed.
 */
export class UrlTable {
  private constructor(
    readonly file: string,
    private readonly delimiter: string,
    readonly columns: Columns,
  ) {}

  /**
   * Opens a file and finds its columns.
   * @throws CleanclipError `ERR_DATA` when the file is missing or empty, or its columns cannot be told; `ERR_OPTION`
   * for a wrong delimiter or wrong names
   */
  static async open(file: string, { delimiter, columns }: { delimiter: string; columns?: string }): Promise<UrlTable> {
    const character = delimiter === '\\t' ? '\t' : delimiter;
    if ([...character].length !== 1 || /["\n\r]/.test(character))
      throw optionError(`--delimiter must be one character such as "," or "\\t", but is ${JSON.stringify(delimiter)}.`);
    const sample: string[][] = [];
    for await (const lines of lineGroups(file)) {
      for (const line of lines) if (isUtf8(line)) sample.push(splitLine(line.toString(), character));
      if (sample.length >= SAMPLE) break;
    }
    if (sample.length === 0) throw dataError(`${file} is empty: expected lines of caption and URL.`);
    return new UrlTable(file, character, findColumns(file, sample.slice(0, SAMPLE), columns));
  }

  /** Counts the rows of a range. */
  async count({ start, end = Infinity }: RowRange): Promise<number> {
    let rows = this.columns.hasHeader ? -1 : 0;
    for await (const lines of lineGroups(this.file)) {
      rows += lines.length;
      if (rows >= end) break;
    }
    return Math.max(0, Math.min(rows, end) - start);
  }

  /** Yields the rows of a range in groups, in their order. */
  async *rows({ start, end = Infinity }: RowRange): AsyncGenerator<UrlRow[]> {
    let row = this.columns.hasHeader ? -1 : 0;
    for await (const lines of lineGroups(this.file)) {
      const group: UrlRow[] = [];
      for (const line of lines) {
        if (row >= end) break;
        if (row >= start) group.push(this.parse(row, line));
        row++;
      }
      if (group.length > 0) yield group;
      if (row >= end) return;
    }
  }

  private parse(row: number, line: Buffer): UrlRow {
    if (!isUtf8(line)) return { row, caption: '', url: '', fault: 'the row is no UTF-8' };
    const fields = splitLine(line.toString(), this.delimiter);
    const { caption, url, count } = this.columns;
    if (fields.length !== count)
      return { row, caption: '', url: '', fault: `the row has ${fields.length} fields where the file has ${count}` };
    const address = fields[url].trim();
    if (!isUrl(address) || !URL.canParse(address))
      return { row, caption: fields[caption], url: '', fault: `'${address.slice(0, 200)}' is no URL of http or https` };
    return { row, caption: fields[caption], url: address };
  }
}

/** Splits a line into fields. A field in quotes, with doubled quotes inside, may contain the delimiter. */
export function splitLine(line: string, delimiter: string): string[] {
  if (!line.includes('"')) return line.split(delimiter);
  const fields: string[] = [];
  for (let at = 0; at <= line.length;) {
    const quoted = quotedField(line, at, delimiter);
    if (quoted !== undefined) {
      fields.push(quoted.text);
      at = quoted.end + delimiter.length;
      continue;
    }
    const next = line.indexOf(delimiter, at);
    const end = next < 0 ? line.length : next;
    fields.push(line.slice(at, end));
    at = end + delimiter.length;
  }
  return fields;
}

/** Reads a field that begins with a quote at `at`, and whose closing quote ends the field; else undefined. */
function quotedField(line: string, at: number, delimiter: string): { text: string; end: number } | undefined {
  if (line[at] !== '"') return undefined;
  for (let from = at + 1; ;) {
    const quote = line.indexOf('"', from);
    if (quote < 0) return undefined;
    if (line[quote + 1] === '"') {
      from = quote + 2;
      continue;
    }
    const end = quote + 1;
    if (end < line.length && !line.startsWith(delimiter, end)) return undefined;
    return { text: line.slice(at + 1, quote).replaceAll('""', '"'), end };
  }
}

/** Yields the lines of a text file in groups, without their ends; blank lines are left out. */
async function* lineGroups(file: string): AsyncGenerator<Buffer[]> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const { chunk } of textChunks(file, 'a tsv file')) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const lines: Buffer[] = [];
    let at = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, at)) {
      pushLine(lines, bytes.subarray(at, end));
      at = end + 1;
    }
    rest = bytes.subarray(at);
    if (rest.length > LONGEST_LINE)
      throw dataError(`${file} has a line of more than ${LONGEST_LINE} bytes; a row has a caption and a URL.`);
    if (lines.length > 0) yield lines;
  }
  const last: Buffer[] = [];
  pushLine(last, rest);
  if (last.length > 0) yield last;
}

function pushLine(lines: Buffer[], line: Buffer): void {
  const end = line.at(-1) === 13 ? line.length - 1 : line.length;
  if (end > 0 && (end > 8 || line.toString('latin1', 0, end).trim() !== '')) lines.push(line.subarray(0, end));
}
