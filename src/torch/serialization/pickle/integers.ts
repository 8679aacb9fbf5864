import { Fault } from '../fault';

/**
 * The longest integer to read, in bytes. LONG1, the only form that `torch.load(weights_only=True)` reads, holds no
 * more.
 */
export const maxLongBytes = 255;

/**
 * Reads a little-endian two's complement integer. The result is a number where that is exact, else a bigint; no bytes
 * give 0.
 */
export function longToNumber(bytes: Buffer): number | bigint {
  if (bytes.length > maxLongBytes)
    throw new Fault(`holds an integer of ${bytes.length} bytes; more than ${maxLongBytes} are not read`);
  if (bytes.length === 0) return 0;
  const unsigned = BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
  return exact(BigInt.asIntN(8 * bytes.length, unsigned));
}

/** Returns the shortest little-endian two's complement form of an integer. */
export function longBytes(value: bigint): Buffer {
  let size = 1;
  while (BigInt.asIntN(8 * size, value) !== value) size++;
  const hex = BigInt.asUintN(8 * size, value)
    .toString(16)
    .padStart(2 * size, '0');
  return Buffer.from(hex, 'hex').reverse();
}

/** Returns a number when it holds the integer exactly, else the bigint itself. */
export const exact = (value: bigint): number | bigint => (Number.isSafeInteger(Number(value)) ? Number(value) : value);
