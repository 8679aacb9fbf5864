import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { basename, extname } from 'node:path';

import { asWriteError, removeLeftoversOf } from '../files';
import { lock } from '../lock';
import { addon } from '../torch/addon';
import type { Listing } from './listing';
import type { ParquetImage } from './parquet_file';
import type { ParquetReader } from './parquet_reader';
import { type TarFile, writeTar } from './shard_writer';
import { type TarFault, type TarMember, TarReader } from './tar_members';

const WAIT = 200; // milliseconds between looks at a tar that another process writes
const UNPACKING = 0.9; // part of the work on a file, before its rows are listed

/**
 * Unpacks the images of a parquet whose column of images is compressed, into a tar beside it, unless it is there. The
 * name of the tar depends on the size and time of the parquet, so a changed parquet is unpacked anew. Several
 * processes, such as ranks, write it once.
 *
 * @throws CleanclipError ERR_DATA: the tar cannot be written; ERR_ABORTED: the signal has aborted
 */
export async function unpackedImages(
  reader: ParquetReader,
  file: string,
  column: string,
  listing: Listing,
): Promise<UnpackedImages> {
  const { size, mtimeMs } = statSync(file);
  const tag = createHash('sha256').update(`${column} ${size} ${mtimeMs}`).digest('hex').slice(0, 8);
  const tar = `${file}.${tag}.tar`;
  while (!existsSync(tar)) {
    const held = tryLock(`${tar}.lock`);
    if (held === undefined) {
      listing.at(0, 'is being unpacked by another process');
      await new Promise((resolve) => setTimeout(resolve, WAIT));
      continue;
    }
    try {
      removeLeftoversOf(tar);
      if (!existsSync(tar)) await writeTar(tar, images(reader, column, listing));
    } catch (error) {
      throw asWriteError(tar, error);
    } finally {
      held.release();
    }
  }
  return new UnpackedImages(tar);
}

class Held extends Error {}

function tryLock(file: string): ReturnType<typeof lock> | undefined {
  try {
    return lock(file, { refusal: () => new Held(), flock: (fd) => addon().lockFile(fd) });
  } catch (error) {
    if (error instanceof Held) return undefined;
    throw error;
  }
}

/**
 * The images by row: `<row>-<name>`; or a text: `<row>.path` for a row that has a path instead of bytes, `<row>.fault`
 * for a row that cannot be read.
 */
async function* images(reader: ParquetReader, column: string, listing: Listing): AsyncGenerator<TarFile> {
  const total = await reader.length();
  for await (const { row, value, reason } of reader.rows({ image: column, caption: column, content: true })) {
    listing.at((UNPACKING * row) / total, 'is being unpacked');
    const number = String(row).padStart(9, '0');
    if (value === undefined) {
      yield { path: `${number}.fault`, content: reason! };
      continue;
    }
    const { path, content } = value.image;
    const extension = path === undefined ? '' : extname(path);
    const name = path === undefined ? '.jpg' : `-${basename(path, extension).slice(0, 150)}${extension.slice(0, 10)}`;
    if (content !== undefined) yield { path: number + name, content };
    else if (path !== undefined) yield { path: `${number}.path`, content: path };
  }
}

/** The images of a tar that {@link unpackedImages} wrote. */
export class UnpackedImages {
  private readonly reader: TarReader;
  private readonly members: Iterator<TarMember, TarFault | undefined>;
  private next: IteratorResult<TarMember, TarFault | undefined>;

  constructor(readonly file: string) {
    this.reader = new TarReader(file);
    this.members = this.reader.members();
    this.next = this.members.next();
  }

  /** The image of a row, or why it has none. Rows are asked for in rising order. */
  image(row: number): ParquetImage & { reason?: string } {
    while (!this.next.done && rowOf(this.next.value) < row) this.next = this.members.next();
    if (this.next.done || rowOf(this.next.value) > row) return {};
    const { path, offset, bytes, check } = this.next.value;
    const isText = /^\d+\.(path|fault)$/.exec(path);
    if (isText !== null) {
      const said = this.reader.read(this.next.value).toString();
      return isText[1] === 'path' ? { path: said } : { reason: said };
    }
    return { path: path.replace(/^\d+-?/, ''), place: { offset, bytes, check } };
  }

  /** Closes the tar. */
  close(): void {
    this.reader.close();
  }
}

const rowOf = ({ path }: TarMember): number => Number.parseInt(path, 10);
