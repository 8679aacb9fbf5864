// The framing of TensorFlow's record files: length, its checksum, data, its checksum, all little-endian.

/** The polynomial of CRC-32C (Castagnoli), reflected. */
const POLYNOMIAL = 0x82f63b78;

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  return crc;
});

/** Computes CRC-32C (RFC 3720, appendix B.4). The checksum of Node's zlib has another polynomial. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ table[(crc ^ byte) & 0xff];
  return (crc ^ 0xffffffff) >>> 0;
}

/** Masks a checksum as TensorFlow does, since data may hold checksums itself. */
export const masked = (crc: number): number => (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;

/** Frames one record. */
export function frame(data: Uint8Array): Uint8Array {
  const framed = Buffer.alloc(data.byteLength + 16);
  framed.writeBigUInt64LE(BigInt(data.byteLength), 0);
  framed.writeUInt32LE(masked(crc32c(framed.subarray(0, 8))), 8);
  framed.set(data, 12);
  framed.writeUInt32LE(masked(crc32c(data)), 12 + data.byteLength);
  return framed;
}
