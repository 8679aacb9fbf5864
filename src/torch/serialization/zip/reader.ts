import { crc32, inflateRawSync } from 'node:zlib';

import { Fault, shown } from '../fault';
import type { FileBytes } from '../file_bytes';

interface Entry {
  readonly method: number;
  readonly flags: number;
  readonly crc: number;
  readonly storedSize: number;
  readonly size: number;
  readonly headerOffset: number;
}

/** The position of an entry's bytes in the file: offset and size in bytes. */
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

/**
 * Reads the directory of a zip file, zip64 included. Entries must be stored; only the sources of TorchScript may be
 * deflated. Every offset and size is checked against the file. Source: PKWARE's APPNOTE 6.3, sections 4.3–4.5.
 */
export class ZipReader {
  /** names of the entries, in the order of the directory */
  readonly names: readonly string[];
  readonly #entries: Map<string, Entry>;
  readonly #directoryOffset: number;

  constructor(private readonly file: FileBytes) {
    const { count, size, offset } = this.#findDirectory();
    this.#directoryOffset = offset;
    this.#entries = parseDirectory(file.read(offset, size), count);
    this.names = [...this.#entries.keys()];
  }

  /** Tells whether there is an entry of that name. */
  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /**
   * Returns where the data of a stored entry lies.
   * @throws Fault when the entry is missing, compressed, encrypted or out of bounds
   */
  locate(name: string): Extent {
    const { method, storedSize, size } = this.#entry(name);
    if (method !== 0 || storedSize !== size) {
      throw new Fault(
        `holds the compressed record ${shown(name)}, but torch stores records uncompressed; save it again with ` +
          'torch.save',
      );
    }
    return this.#extent(name);
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name);
    if (!entry) throw new Fault(`is damaged: its record ${shown(name)} is missing`);
    if (entry.flags & 1) throw new Fault(`holds the encrypted record ${shown(name)}; save it again with torch.save`);
    return entry;
  }

  #extent(name: string): Extent {
    const entry = this.#entry(name);
    const header = this.file.read(entry.headerOffset, sizeOfLocalHeader);
    if (header.readUInt32LE(0) !== 0x04034b50)
      throw new Fault(`is damaged: the record ${shown(name)} is not where its directory says`);
    const nameSize = header.readUInt16LE(26);
    const nameHere = this.file.read(entry.headerOffset + sizeOfLocalHeader, nameSize).toString('utf8');
    if (nameHere !== name) throw new Fault(`is damaged: the record ${shown(name)} is not where its directory says`);
    const offset = entry.headerOffset + sizeOfLocalHeader + nameSize + header.readUInt16LE(28);
    if (offset + entry.storedSize > this.#directoryOffset)
      throw new Fault(`is damaged: its record ${shown(name)} reaches past the end of the data`);
    return { offset, size: entry.storedSize };
  }

  /**
   * Reads the bytes of a stored entry.
   * @throws Fault as {@link locate}, or when the checksum does not match
   */
  read(name: string): Buffer {
    const { offset, size } = this.locate(name);
    return this.#checked(name, this.file.read(offset, size));
  }

  /**
   * Reads the bytes of an entry that may be deflated.
   * @param spend is told the size of the entry, in bytes, before memory is allocated
   * @throws Fault as {@link read}
   */
  inflate(name: string, spend: (bytes: number) => void): Buffer {
    const { method, size } = this.#entry(name);
    spend(size);
    if (method !== 8) return this.read(name);
    const extent = this.#extent(name);
    const deflated = this.file.read(extent.offset, extent.size);
    let bytes: Buffer;
    try {
      bytes = inflateRawSync(deflated, { maxOutputLength: Math.max(1, size) });
    } catch (error) {
      throw new Fault(`is damaged: its record ${shown(name)} cannot be decompressed (${(error as Error).message})`);
    }
    return this.#checked(name, bytes);
  }

  /** Checks bytes against their CRC-32. A value of 0 is not checked; torch writes it when told to compute none. */
  #checked(name: string, bytes: Buffer): Buffer {
    const { crc } = this.#entry(name);
    if (crc !== 0 && crc32(bytes) !== crc)
      throw new Fault(`is damaged: the bytes of ${shown(name)} do not match their checksum`);
    return bytes;
  }

  #findDirectory(): { count: number; size: number; offset: number } {
    const tailSize = Math.min(this.file.length, maxComment + sizeOfEnd + sizeOfLocator);
    const tail = this.file.read(this.file.length - tailSize, tailSize);
    let end = tailSize - sizeOfEnd;
    while (
      end >= 0 &&
      !(tail.readUInt32LE(end) === 0x06054b50 && end + sizeOfEnd + tail.readUInt16LE(end + 20) === tailSize)
    )
      end--;
    if (end < 0) throw new Fault('is cut short: the directory at its end is missing; copy or download it again');
    const locator = end - sizeOfLocator;
    if (locator < 0 || tail.readUInt32LE(locator) !== 0x07064b50) {
      return {
        count: tail.readUInt16LE(end + 10),
        size: tail.readUInt32LE(end + 12),
        offset: tail.readUInt32LE(end + 16),
      };
    }
    const end64 = this.file.read(safe(tail.readBigUInt64LE(locator + 8)), sizeOfEnd64);
    if (end64.readUInt32LE(0) !== 0x06064b50)
      throw new Fault('is damaged: its zip64 directory is not where it should be');
    return {
      count: safe(end64.readBigUInt64LE(32)),
      size: safe(end64.readBigUInt64LE(40)),
      offset: safe(end64.readBigUInt64LE(48)),
    };
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
    if (entries.has(name)) throw new Fault(`is damaged: it holds the record ${shown(name)} twice`);
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

/** The 64-bit values, in order, that replace fields of 0xffffffff. */
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
