// The file of a W&B run: a header, and records in the framing of LevelDB's log, whose checksum is that of zlib.
import { crc32 } from 'node:zlib';

/** ':W&B', the magic number 0xbee1 (little-endian), and version 0. */
export const HEADER = Buffer.from([0x3a, 0x57, 0x26, 0x42, 0xe1, 0xbe, 0]);

const BLOCK = 32768;
/** Bytes before each part of a record: checksum, length, kind. */
const PREFIX = 7;
const [FULL, FIRST, MIDDLE, LAST] = [1, 2, 3, 4];

/**
 * Frames a record. It is cut where a block of 32 KiB ends.
 * @param position where it will stand in the file
 */
export function frameRecord(data: Uint8Array, position: number): Buffer {
  const parts: Uint8Array[] = [];
  let room = BLOCK - (position % BLOCK);
  if (room < PREFIX) {
    parts.push(Buffer.alloc(room));
    room = BLOCK;
  }
  for (let from = 0, first = true; first || from < data.byteLength; first = false) {
    const to = Math.min(data.byteLength, from + room - PREFIX);
    const last = to === data.byteLength;
    const kind = first ? (last ? FULL : FIRST) : last ? LAST : MIDDLE;
    const part = data.subarray(from, to);
    const prefix = Buffer.alloc(PREFIX);
    prefix.writeUInt32LE(checksum(kind, part), 0);
    prefix.writeUInt16LE(part.byteLength, 4);
    prefix.writeUInt8(kind, 6);
    parts.push(prefix, part);
    from = to;
    room = BLOCK;
  }
  return Buffer.concat(parts);
}

/** Reads the records of a file, up to the first that is cut off or damaged: the end of a killed run. */
export function readRecords(file: Uint8Array): Uint8Array[] {
  const records: Uint8Array[] = [];
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (!bytes.subarray(0, HEADER.length).equals(HEADER)) return records;
  let parts: Uint8Array[] = [];
  let at = HEADER.length;
  for (;;) {
    if (BLOCK - (at % BLOCK) < PREFIX) at += BLOCK - (at % BLOCK);
    if (at + PREFIX > bytes.length) return records;
    const [length, kind] = [bytes.readUInt16LE(at + 4), bytes.readUInt8(at + 6)];
    const part = bytes.subarray(at + PREFIX, at + PREFIX + length);
    if (part.length < length || checksum(kind, part) !== bytes.readUInt32LE(at)) return records;
    if (parts.length > 0 !== (kind === MIDDLE || kind === LAST)) return records;
    parts.push(part);
    if (kind === FULL || kind === LAST) {
      records.push(Buffer.concat(parts));
      parts = [];
    }
    at += PREFIX + length;
  }
}

/** Computes the checksum of the kind and the bytes of a part. zlib would begin anew at no bytes. */
function checksum(kind: number, part: Uint8Array): number {
  const crc = crc32(Buffer.from([kind]));
  return part.byteLength === 0 ? crc : crc32(part, crc);
}
