import { closeSync } from 'node:fs';
import { read } from 'node:fs';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';

import { CleanclipError, dataError } from '../errors';
import { asReadError, openRegular } from '../input_files';
import type { AsyncBuffer, Hyparquet, ParquetMetadata } from './hyparquet';

/** The columns to read; those that are absent are not read. */
export interface ParquetColumns {
  image?: string;
  caption: string;
  mark?: string;
  /** give the bytes of images, not their places in the file; default false */
  content?: boolean;
}

/** A task of the thread that reads parquet files: with `columns` the rows of a row group, else a description. */
export interface Task {
  file: string;
  group: number;
  columns?: ParquetColumns;
}

/** What a parquet file holds. */
export interface ParquetDescription {
  /** number of rows of each row group */
  rows: number[];
  columns: ParquetColumn[];
}

/** A column of a parquet file. */
export interface ParquetColumn {
  name: string;
  /** whether it holds bytes, or a structure with `bytes`; other columns of images hold paths */
  hasBytes: boolean;
  /** whether its bytes lie in the file as they are, neither compressed nor otherwise encoded */
  isPlain: boolean;
  /** bytes of its largest row group, before and after decompression, whichever is more */
  largest: number;
}

/** An image of a parquet: its place in the file, or its bytes, or a path, or none. */
export interface ParquetImage {
  /** name or path of the image */
  path?: string;
  place?: { offset: number; bytes: number; check: number };
  content?: Uint8Array;
}

/** A row of a parquet. */
export interface ParquetRow {
  image: ParquetImage;
  caption: unknown;
  mark: unknown;
}

/** A column whose values are bytes: its range in the file, for each row group. */
type Ranges = { start: number; length: number }[];

const readAsync = promisify(read);
const PLAIN = new Set(['PLAIN', 'PLAIN_DICTIONARY', 'RLE_DICTIONARY', 'RLE', 'BIT_PACKED']);

/** Reads a parquet file by hyparquet, in a thread of its own: that package is an ES module. */
export class ParquetFile {
  private readonly starts: number[] = [];

  private constructor(
    readonly path: string,
    private readonly fd: number,
    private readonly buffer: AsyncBuffer,
    private readonly packages: Hyparquet,
    private readonly metadata: ParquetMetadata,
  ) {
    let start = 0;
    for (const { num_rows } of metadata.row_groups) {
      this.starts.push(start);
      start += Number(num_rows);
    }
    this.starts.push(start);
  }

  /** @throws CleanclipError ERR_DATA: the file is missing, not regular, or no parquet */
  static async open(path: string, loadPackage: (name: string) => Promise<object>): Promise<ParquetFile> {
    const packages = Object.assign({}, await loadPackage('hyparquet'), await loadPackage('hyparquet-compressors'));
    const { fd, size } = openRegular(path, { wanted: 'a parquet file' });
    try {
      if (size < 12) throw new Error(size === 0 ? 'it is empty' : 'it is too short');
      const buffer = { byteLength: size, slice: (start: number, end = size) => slice(path, fd, start, end, size) };
      const metadata = await (packages as Hyparquet).parquetMetadataAsync(buffer, { geoparquet: false });
      return new ParquetFile(path, fd, buffer, packages as Hyparquet, metadata);
    } catch (error) {
      closeSync(fd);
      throw asParquetError(path, error);
    }
  }

  /** Closes the file. */
  close(): void {
    closeSync(this.fd);
  }

  /** Says what the file holds, without reading values. */
  describe(): ParquetDescription {
    try {
      const { children } = this.packages.parquetSchema(this.metadata);
      const columns = children.map(({ element, children: parts }): ParquetColumn => {
        const chunks = this.chunks((path) => path[0] === element.name);
        const bytes = this.chunks((path) => isBytesPath(path, element.name)).filter(
          ({ type }) => type === 'BYTE_ARRAY',
        );
        return {
          name: element.name,
          hasBytes: parts.some((part) => part.element.name === 'bytes') || (parts.length === 0 && isBinary(element)),
          isPlain: bytes.every(
            ({ codec, encodings }) => codec === 'UNCOMPRESSED' && encodings.every((e) => PLAIN.has(e)),
          ),
          largest: chunks.reduce(
            (most, c) => Math.max(most, Number(c.total_compressed_size), Number(c.total_uncompressed_size)),
            0,
          ),
        };
      });
      return { rows: this.metadata.row_groups.map(({ num_rows }) => Number(num_rows)), columns };
    } catch (error) {
      throw asParquetError(this.path, error);
    }
  }

  /**
   * Reads the rows of a row group. Images get their place if they lie in the file as they are, or else their bytes.
   * @returns why they cannot be read, as the end of a sentence, if the file is damaged there
   * @throws CleanclipError ERR_DATA: the disk fails
   */
  async rows(group: number, { image, caption, mark, content }: ParquetColumns): Promise<ParquetRow[] | string> {
    const columns = [image, caption, mark].filter((name) => name !== undefined);
    try {
      const rows = await this.packages.parquetReadObjects({
        file: this.buffer,
        metadata: this.metadata,
        compressors: this.packages.compressors,
        columns: [...new Set(columns)],
        rowStart: this.starts[group],
        rowEnd: this.starts[group + 1],
        utf8: false,
      });
      const ranges = image === undefined || content ? [] : this.ranges(group, image);
      return rows.map((row) => ({
        image: image === undefined ? {} : imageOf(row[image], ranges),
        caption: asText(row[caption]),
        mark: mark === undefined ? undefined : asText(row[mark]),
      }));
    } catch (error) {
      if (error instanceof CleanclipError) throw error;
      return `its row group ${group + 1} cannot be read: ${(error as Error).message}`;
    }
  }

  private chunks(
    wanted: (path: string[]) => boolean,
  ): NonNullable<ParquetMetadata['row_groups'][0]['columns'][0]['meta_data']>[] {
    return this.metadata.row_groups
      .flatMap(({ columns }) => columns.map(({ meta_data }) => meta_data))
      .filter((data) => data !== undefined)
      .filter(({ path_in_schema }) => wanted(path_in_schema));
  }

  /** Where the bytes of a column lie in the file, if they lie there as they are. */
  private ranges(group: number, name: string): Ranges {
    return this.metadata.row_groups[group].columns
      .map(({ meta_data }) => meta_data)
      .filter((data) => data?.codec === 'UNCOMPRESSED' && isBytesPath(data.path_in_schema, name))
      .map((data) => ({
        start: Number(data!.dictionary_page_offset || data!.data_page_offset),
        length: Number(data!.total_compressed_size),
      }));
  }
}

/** Whether a leaf is the column itself, or its field `bytes`. */
const isBytesPath = (path: string[], name: string): boolean =>
  path[0] === name && (path.length === 1 || (path.length === 2 && path[1] === 'bytes'));

const isBinary = ({ type, converted_type, logical_type }: ParquetMetadata['schema'][0]): boolean =>
  type === 'BYTE_ARRAY' && converted_type !== 'UTF8' && logical_type?.type !== 'STRING';

/** An image from the value of its column: `{ bytes, path }`, bytes, or a path. */
function imageOf(value: unknown, ranges: Ranges): ParquetImage {
  if (value instanceof Uint8Array) return withBytes(value, undefined, ranges);
  if (typeof value === 'string') return { path: value };
  const { bytes, path } = (value ?? {}) as { bytes?: unknown; path?: unknown };
  const name = asText(path);
  const given = typeof name === 'string' ? name : undefined;
  return bytes instanceof Uint8Array ? withBytes(bytes, given, ranges) : { path: given };
}

/**
 * hyparquet gives a value of a plain column as a view of the buffer of its column chunk, so the place in the buffer is
 * that in the file. The CRC is checked whenever the image is read.
 */
function withBytes(value: Uint8Array, path: string | undefined, ranges: Ranges): ParquetImage {
  const range = ranges.find(({ length }) => value.buffer.byteLength === length);
  if (range === undefined) return { path, content: value.slice() };
  return { path, place: { offset: range.start + value.byteOffset, bytes: value.length, check: crc32(value) } };
}

const asText = (value: unknown): unknown => (value instanceof Uint8Array ? Buffer.from(value).toString() : value);

async function slice(path: string, fd: number, start: number, end: number, size: number): Promise<ArrayBuffer> {
  if (!(start >= 0 && start <= end && end <= size)) throw new Error('it names bytes beyond its end');
  const bytes = new Uint8Array(end - start);
  try {
    let filled = 0;
    for (let got = -1; got !== 0 && filled < bytes.length; filled += got)
      got = (await readAsync(fd, bytes, filled, bytes.length - filled, start + filled)).bytesRead;
    if (filled < bytes.length) throw new Error('it ends before its content does');
  } catch (error) {
    throw asReadError(path, error, { wanted: 'a parquet file' });
  }
  return bytes.buffer;
}

const asParquetError = (path: string, error: unknown): CleanclipError =>
  error instanceof CleanclipError
    ? error
    : dataError(
        `Expected a readable parquet file in '${path}', but reading it failed: ${(error as Error).message}.`,
        error,
      );
