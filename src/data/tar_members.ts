import { closeSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';

import { dataError } from '../errors';
import { asReadError, openRegular } from '../input_files';
import { BLOCK, parseHeader, parsePax, type TarHeader, text } from './tar_header';

/** A regular file in a tar. */
export interface TarMember {
  /** path in the tar */
  path: string;
  /** byte offset of its content */
  offset: number;
  /** length of its content in bytes */
  bytes: number;
  /** CRC-32 of its header */
  check: number;
}

/** Why the rest of a tar cannot be read. */
export interface TarFault {
  /** byte offset of the member that cannot be read */
  byte: number;
  /** as the end of a sentence */
  reason: string;
}

const WINDOW = 1 << 16; // bytes read at once: the headers and texts of several small images
const LONGEST_NAME = 1 << 20; // bytes of a header that says a long name
const ABOUT_NEXT = new Set(['x', 'X', 'L', 'K', 'g']); // types of headers that say something of other members
const DAMAGED = 'a header of the tar is damaged';

/** Lists the regular files of an uncompressed tar. It reads headers, and the contents that it is asked for. */
export class TarReader {
  private readonly fd: number;
  private readonly size: number;
  private readonly window = Buffer.allocUnsafe(WINDOW);
  private start = 0; // of the window in the file
  private filled = 0;

  /** @throws CleanclipError ERR_DATA: the file is missing or not regular, or is no tar */
  constructor(private readonly file: string) {
    ({ fd: this.fd, size: this.size } = openRegular(file, { wanted: 'a tar' }));
    try {
      this.checkKind();
    } catch (error) {
      closeSync(this.fd);
      throw error;
    }
  }

  /** Closes the file. */
  close(): void {
    closeSync(this.fd);
  }

  /** Byte offset in the file of what was read last. */
  get position(): number {
    return this.start;
  }

  /** Reads the content of a member. */
  read({ offset, bytes }: TarMember): Buffer {
    return this.at(offset, bytes);
  }

  /**
   * Yields the regular files in their order; folders, links and devices are passed over. What cannot be read ends it.
   * @returns the fault that ended it; undefined at the end of the tar
   */
  *members(): Generator<TarMember, TarFault | undefined> {
    let own: Partial<TarHeader> = {}; // what a header before says of the next file
    for (let at = 0; at < this.size;) {
      const block = this.at(at, BLOCK);
      if (block.length < BLOCK) return { byte: at, reason: 'the tar ends in a header' };
      const parsed = parseHeader(block);
      if (parsed === 'end') return undefined;
      if (parsed === 'damaged') return { byte: at, reason: DAMAGED };
      const isAbout = ABOUT_NEXT.has(parsed.type);
      const { path, bytes, type } = isAbout ? parsed : { ...parsed, ...own };
      const offset = at + BLOCK;
      if (!Number.isSafeInteger(bytes) || bytes < 0) return { byte: at, reason: DAMAGED };
      if (offset + bytes > this.size) return { byte: at, reason: `the tar ends within '${path}'` };
      if (isAbout) {
        if (bytes > LONGEST_NAME) return { byte: at, reason: `a header of the tar has ${bytes} bytes` };
        const said = type === 'x' ? parsePax(this.at(offset, bytes)) : undefined;
        if (type === 'x' && said === undefined) return { byte: at, reason: DAMAGED };
        if (type === 'L') own = { ...own, path: text(this.at(offset, bytes), 0, bytes) };
        else own = { ...own, ...said };
      } else {
        if (type === '0') yield { path, offset, bytes, check: crc32(block) };
        own = {};
      }
      at = offset + Math.ceil(bytes / BLOCK) * BLOCK;
    }
    return undefined;
  }

  private checkKind(): void {
    if (this.size === 0) throw dataError(`Expected a tar in '${this.file}', but it is empty; download it again.`);
    const start = this.at(0, BLOCK);
    const packed = PACKED.find(({ sign }) => start.toString('latin1', 0, sign.length) === sign);
    if (packed !== undefined)
      throw dataError(
        `Expected a plain tar in '${this.file}', but it is compressed by ${packed.by}, so its single images cannot ` +
          `be read; unpack it with ${packed.remedy}.`,
      );
  }

  /** Bytes of the file, fewer at its end, until the next call. */
  private at(offset: number, length: number): Buffer {
    if (length > WINDOW) return this.fill(Buffer.allocUnsafe(length), offset);
    if (offset < this.start || offset + length > this.start + this.filled) {
      this.filled = this.fill(this.window, offset).length;
      this.start = offset;
    }
    return this.window.subarray(offset - this.start, Math.min(offset - this.start + length, this.filled));
  }

  private fill(buffer: Buffer, offset: number): Buffer {
    try {
      let filled = 0;
      for (let got = -1; got !== 0 && filled < buffer.length; filled += got)
        got = readSync(this.fd, buffer, filled, buffer.length - filled, offset + filled);
      return buffer.subarray(0, filled);
    } catch (error) {
      throw asReadError(this.file, error, { wanted: 'a tar' });
    }
  }
}

const PACKED = [
  { sign: '\x1f\x8b', by: 'gzip', remedy: 'gunzip' },
  { sign: 'BZh', by: 'bzip2', remedy: 'bunzip2' },
  { sign: '\xfd7zXZ', by: 'xz', remedy: 'unxz' },
  { sign: '\x28\xb5\x2f\xfd', by: 'zstd', remedy: 'zstd -d' },
  { sign: 'PK\x03\x04', by: 'zip', remedy: 'unzip, and tar' },
];
