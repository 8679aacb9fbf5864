import { readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { Fault } from './fault';

interface Entry {
  readonly method: number;
  readonly flags: number;
  readonly crc: number;
  readonly storedSize: number;
  readonly size: number;
  readonly headerOffset: number;
}

/** Where an entry's bytes lie in the file. */
export interface Extent {
  readonly offset: number;
  readonly size: number;
}

const sizeOfEnd = 22;
const sizeOfLocator = 20;
const sizeOfEnd64 = 56;
const sizeOfDirectoryHeader = 46;
const sizeOfLocalHeader = 30;
const maxComment = 0xffff;
/** The directory and data.pkl are read into memory; a checkpoint's are a few MB. */
const maxInMemory = 1 << 30;

/**
 * The directory of a zip file whose entries are stored (not compressed), zip64 included. Every offset and size is checked against the file.
 * Source: PKWARE's APPNOTE 6.3, sections 4.3–4.5.
 */
export class ZipReader {
  /** Entry names in the directory's order. */
  readonly names: readonly string[];
  readonly #entries: Map<string, Entry>;
  readonly #directoryOffset: number;

  /**
   * @param fd a file open for reading; it stays the caller's
   * @param fileSize its size in bytes
   */
  constructor(
    readonly fd: number,
    readonly fileSize: number,
  ) {
    const { count, size, offset } = this.#findDirectory();
    this.#directoryOffset = offset;
    this.#entries = parseDirectory(this.#bytes(offset, size), count);
    this.names = [...this.#entries.keys()];
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** Where the entry's data lies. */
  locate(name: string): Extent {
    const entry = this.#entries.get(name);
    if (!entry) throw new Fault(`is damaged: its record ${name} is missing`);
    if (entry.flags & 1) throw new Fault(`holds the encrypted record ${name}; save it again with torch.save`);
    if (entry.method !== 0 || entry.storedSize !== entry.size) {
      throw new Fault(`holds the compressed record ${name}, but torch stores records uncompressed; save it again with torch.save`);
    }
    const header = this.#bytes(entry.headerOffset, sizeOfLocalHeader);
    if (header.readUInt32LE(0) !== 0x04034b50) throw new Fault(`is damaged: the record ${name} is not where its directory says`);
    const nameSize = header.readUInt16LE(26);
    const nameHere = this.#bytes(entry.headerOffset + sizeOfLocalHeader, nameSize).toString('utf8');
    if (nameHere !== name) throw new Fault(`is damaged: the record ${name} is not where its directory says`);
    const offset = entry.headerOffset + sizeOfLocalHeader + nameSize + header.readUInt16LE(28);
    if (offset + entry.size > this.#directoryOffset) throw new Fault(`is damaged: its record ${name} reaches past the end of the data`);
    return { offset, size: entry.size };
  }

  /** The entry's bytes, checked against their CRC32 (torch writes 0 when told to compute none). */
  read(name: string): Buffer {
    const { offset, size } = this.locate(name);
    const bytes = this.#bytes(offset, size);
    const { crc } = this.#entries.get(name)!;
    if (crc !== 0 && crc32(bytes) !== crc) throw new Fault(`is damaged: the bytes of ${name} do not match their checksum`);
    return bytes;
  }

  #findDirectory(): { count: number; size: number; offset: number } {
    const tailSize = Math.min(this.fileSize, maxComment + sizeOfEnd + sizeOfLocator);
    const tail = this.#bytes(this.fileSize - tailSize, tailSize);
    let end = tailSize - sizeOfEnd;
    while (end >= 0 && !(tail.readUInt32LE(end) === 0x06054b50 && end + sizeOfEnd + tail.readUInt16LE(end + 20) === tailSize)) end--;
    if (end < 0) throw new Fault('is cut short: the directory at its end is missing; copy or download it again');
    const locator = end - sizeOfLocator;
    if (locator < 0 || tail.readUInt32LE(locator) !== 0x07064b50) {
      return { count: tail.readUInt16LE(end + 10), size: tail.readUInt32LE(end + 12), offset: tail.readUInt32LE(end + 16) };
    }
    const end64 = this.#bytes(safe(tail.readBigUInt64LE(locator + 8)), sizeOfEnd64);
    if (end64.readUInt32LE(0) !== 0x06064b50) throw new Fault('is damaged: its zip64 directory is not where it should be');
    return {
      count: safe(end64.readBigUInt64LE(32)),
      size: safe(end64.readBigUInt64LE(40)),
      offset: safe(end64.readBigUInt64LE(48)),
    };
  }

  #bytes(offset: number, size: number): Buffer {
    if (offset + size > this.fileSize) throw new Fault('is damaged or cut short: it refers to bytes behind its end');
    if (size > maxInMemory) throw new Fault(`is damaged: it has ${size} bytes where a checkpoint has a few MB of names and numbers`);
    const bytes = Buffer.alloc(size);
    let filled = 0;
    while (filled < size) {
      const got = readSync(this.fd, bytes, filled, size - filled, offset + filled);
      if (got === 0) throw new Fault('was cut short while it was read; load it again');
      filled += got;
    }
    return bytes;
  }
}

function parseDirectory(directory: Buffer, count: number): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + sizeOfDirectoryHeader > directory.length || directory.readUInt32LE(at) !== 0x02014b50) {
      throw new Fault('is damaged: its directory cannot be read');
    }
    const nameEnd = at + sizeOfDirectoryHeader + directory.readUInt16LE(at + 28);
    const extraEnd = nameEnd + directory.readUInt16LE(at + 30);
    const next = extraEnd + directory.readUInt16LE(at + 32);
    if (next > directory.length) throw new Fault('is damaged: its directory cannot be read');
    const name = directory.toString('utf8', at + sizeOfDirectoryHeader, nameEnd);
    if (entries.has(name)) throw new Fault(`is damaged: it holds the record ${name} twice`);
    const extra = new Zip64Extra(directory.subarray(nameEnd, extraEnd));
    entries.set(name, {
      flags: directory.readUInt16LE(at + 8),
      method: directory.readUInt16LE(at + 10),
      crc: directory.readUInt32LE(at + 16),
      size: extra.widen(directory.readUInt32LE(at + 24)),
      storedSize: extra.widen(directory.readUInt32LE(at + 20)),
      headerOffset: extra.widen(directory.readUInt32LE(at + 42)),
    });
    at = next;
  }
  return entries;
}

/** The 64-bit values, in order, that stand in for fields of 0xffffffff. */
class Zip64Extra {
  #values: Buffer = Buffer.alloc(0);

  constructor(extra: Buffer) {
    for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
      if (extra.readUInt16LE(at) === 1) this.#values = extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2));
    }
  }

  widen(field: number): number {
    if (field !== 0xffffffff) return field;
    if (this.#values.length < 8) throw new Fault('is damaged: its directory lacks a 64-bit size');
    const value = safe(this.#values.readBigUInt64LE(0));
    this.#values = this.#values.subarray(8);
    return value;
  }
}

function safe(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new Fault('is damaged: it names a size of more than 2^53 bytes');
  return Number(value);
}
