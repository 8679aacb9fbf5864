import { crc32 } from 'node:zlib';

const alignment = 64;
const max32 = 0xffffffff;
/** The flags that torch writes: names are UTF-8, and with a descriptor, sizes and checksum follow the data. */
const flagsWithDescriptor = 0x0808;
const flagsWithoutDescriptor = 0x0800;

/**
 * Writes a zip file as torch's PyTorchStreamWriter does. Entries are stored, with data at multiples of 64 bytes (an
 * extra field "FB" pads) and a data descriptor after the data. A zip64 end always follows. All bytes go straight to the
 * file, so memory holds none of them. Source: PKWARE's APPNOTE 6.3. Offsets must equal those that `torch.load` computes
 * for `.format_version` 1.
 */
export class ZipWriter {
  readonly #directory: Buffer[] = [];
  #offset: number;

  /**
   * @param write writes bytes at a position of the file
   * @param offset position where the zip file begins; default 0
   */
  constructor(
    private readonly write: (bytes: Uint8Array, position: number) => void,
    offset = 0,
  ) {
    this.#offset = offset;
  }

  /** Adds an entry and writes its data. */
  add(name: string, bytes: Uint8Array): void {
    this.addWritten([{ name, size: bytes.byteLength }], ([position]) => {
      this.write(bytes, position);
      return [crc32(bytes)];
    });
  }

  /**
   * Adds entries whose data the caller writes.
   *
   * @param entries names, and sizes of the data in bytes
   * @param writeData writes the data at these positions of the file, and returns the CRC-32 of each entry
   */
  addWritten(entries: readonly { name: string; size: number }[], writeData: (positions: number[]) => number[]): void {
    const placed = entries.map(({ name, size }) => {
      const headerOffset = this.#offset;
      const nameBytes = Buffer.from(name, 'utf8');
      this.#put(localHeader(nameBytes, size, headerOffset));
      const position = this.#offset;
      this.#offset += size + (size > 0 ? descriptorSize(size, headerOffset) : 0);
      return { nameBytes, size, headerOffset, position };
    });
    const crcs = writeData(placed.map(({ position }) => position));
    placed.forEach(({ nameBytes, size, headerOffset, position }, i) => {
      if (size > 0) this.write(descriptor(crcs[i], size, headerOffset), position + size);
      this.#directory.push(directoryHeader(nameBytes, size, crcs[i], headerOffset));
    });
  }

  /** Writes the directory, which completes the file. */
  finish(): void {
    const directory = Buffer.concat(this.#directory);
    this.#put(Buffer.concat([directory, endOfDirectory(this.#directory.length, this.#offset, directory.length)]));
  }

  #put(bytes: Uint8Array): void {
    this.write(bytes, this.#offset);
    this.#offset += bytes.byteLength;
  }
}

const isLarge = (size: number, headerOffset: number): boolean => size >= max32 || headerOffset >= max32;

function localHeader(name: Buffer, size: number, headerOffset: number): Buffer {
  const zip64 = zip64Extra(size, headerOffset);
  const unpadded = headerOffset + 30 + name.length + zip64.length + 4;
  const padding = Buffer.alloc(4 + ((alignment - (unpadded % alignment)) % alignment), 'Z');
  padding.write('FB', 0, 'latin1');
  padding.writeUInt16LE(padding.length - 4, 2);
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(zip64.length ? 45 : 0, 4);
  header.writeUInt16LE(size > 0 ? flagsWithDescriptor : flagsWithoutDescriptor, 6);
  header.writeUInt16LE(name.length, 26);
  header.writeUInt16LE(zip64.length + padding.length, 28);
  return Buffer.concat([header, name, zip64, padding]);
}

const descriptorSize = (size: number, headerOffset: number): number => (isLarge(size, headerOffset) ? 24 : 16);

function descriptor(crc: number, size: number, headerOffset: number): Buffer {
  const large = isLarge(size, headerOffset);
  const bytes = Buffer.alloc(descriptorSize(size, headerOffset));
  bytes.writeUInt32LE(0x08074b50, 0);
  bytes.writeUInt32LE(crc, 4);
  if (large) {
    bytes.writeBigUInt64LE(BigInt(size), 8);
    bytes.writeBigUInt64LE(BigInt(size), 16);
  } else {
    bytes.writeUInt32LE(size, 8);
    bytes.writeUInt32LE(size, 12);
  }
  return bytes;
}

function directoryHeader(name: Buffer, size: number, crc: number, headerOffset: number): Buffer {
  const zip64 = zip64Extra(size, headerOffset);
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(zip64.length ? 45 : 0, 6);
  header.writeUInt16LE(size > 0 ? flagsWithDescriptor : flagsWithoutDescriptor, 8);
  header.writeUInt32LE(crc, 16);
  header.writeUInt32LE(Math.min(size, max32), 20);
  header.writeUInt32LE(Math.min(size, max32), 24);
  header.writeUInt16LE(name.length, 28);
  header.writeUInt16LE(zip64.length, 30);
  header.writeUInt32LE(Math.min(headerOffset, max32), 42);
  return Buffer.concat([header, name, zip64]);
}

/** Makes the extra field with 64-bit sizes and offset, for those fields that do not fit into 32 bits. */
function zip64Extra(size: number, headerOffset: number): Buffer {
  const values: number[] = [];
  if (size >= max32) values.push(size, size);
  if (headerOffset >= max32) values.push(headerOffset);
  if (values.length === 0) return Buffer.alloc(0);
  const extra = Buffer.alloc(4 + 8 * values.length);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(8 * values.length, 2);
  values.forEach((value, i) => extra.writeBigUInt64LE(BigInt(value), 4 + 8 * i));
  return extra;
}

function endOfDirectory(count: number, offset: number, size: number): Buffer {
  const end = Buffer.alloc(56 + 20 + 22);
  end.writeUInt32LE(0x06064b50, 0); // zip64 end of central directory
  end.writeBigUInt64LE(44n, 4);
  end.writeUInt16LE(0x031e, 12);
  end.writeUInt16LE(45, 14);
  end.writeBigUInt64LE(BigInt(count), 24);
  end.writeBigUInt64LE(BigInt(count), 32);
  end.writeBigUInt64LE(BigInt(size), 40);
  end.writeBigUInt64LE(BigInt(offset), 48);
  end.writeUInt32LE(0x07064b50, 56); // zip64 locator
  end.writeBigUInt64LE(BigInt(offset + size), 64);
  end.writeUInt32LE(1, 72);
  end.writeUInt32LE(0x06054b50, 76); // end of central directory
  end.writeUInt16LE(Math.min(count, 0xffff), 84);
  end.writeUInt16LE(Math.min(count, 0xffff), 86);
  end.writeUInt32LE(Math.min(size, max32), 88);
  end.writeUInt32LE(Math.min(offset, max32), 92);
  return end;
}
