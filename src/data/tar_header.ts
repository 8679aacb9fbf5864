// Parses the headers of a tar: POSIX ustar and pax, GNU and v7. A package would take five times as long, and a set of
// 30 million pairs has 100 million headers.

/** The header of a member of a tar. */
export interface TarHeader {
  path: string;
  /** length of the content in bytes */
  bytes: number;
  /** `0` is a file, `5` a folder, `x` a pax header of the next member, `L` a long name of GNU */
  type: string;
}

/** Bytes of a block; headers and contents begin at multiples of it. */
export const BLOCK = 512;

const [SIZE, SUM, TYPE, MAGIC, PREFIX] = [124, 148, 156, 257, 345];
const [NUL, SPACE, ZERO, SEVEN, SLASH] = [0, 0x20, 0x30, 0x37, 0x2f];

/**
 * Parses a block.
 * @returns `end` for a block of zeros, `damaged` for one whose checksum or size is wrong
 */
export function parseHeader(block: Uint8Array): TarHeader | 'end' | 'damaged' {
  let sum = 8 * SPACE; // which stand for the field of the sum itself
  for (let i = 0; i < SUM; i++) sum += block[i];
  for (let i = TYPE; i < BLOCK; i++) sum += block[i];
  const stored = octal(block, SUM, 8);
  if (sum === 8 * SPACE && !stored) return 'end';
  const bytes = block[SIZE] >= 0x80 ? base256(block) : octal(block, SIZE, 12);
  if (sum !== stored || bytes === undefined) return 'damaged';
  const name = text(block, 0, 100);
  const isPosix = text(block, MAGIC, 6) === 'ustar' && block[MAGIC + 5] === NUL;
  const path = isPosix && block[PREFIX] !== NUL ? `${text(block, PREFIX, 155)}/${name}` : name;
  const type = block[TYPE] === NUL || block[TYPE] === ZERO + 7 ? '0' : String.fromCharCode(block[TYPE]);
  const isFolder = type === '0' && path.charCodeAt(path.length - 1) === SLASH; // as v7 writes it
  return { path, bytes: isFolder ? 0 : bytes, type: isFolder ? '5' : type };
}

/**
 * Parses the content of a pax header.
 * @returns what it says instead of the header that follows; undefined if it is damaged
 */
export function parsePax(content: Buffer): Partial<TarHeader> | undefined {
  const found: Partial<TarHeader> = {};
  for (let at = 0; at < content.length;) {
    const space = content.indexOf(SPACE, at);
    const length = Number(content.toString('latin1', at, space));
    const end = at + length;
    if (space < 0 || !Number.isInteger(length) || end <= space || end > content.length) return undefined;
    const equals = content.indexOf('=', space);
    if (equals < 0 || equals >= end) return undefined;
    const key = content.toString('latin1', space + 1, equals);
    const value = (): string => content.toString('utf8', equals + 1, end - 1);
    if (key === 'path') found.path = value();
    else if (key === 'size') found.bytes = Number(value());
    else if (key.startsWith('GNU.sparse.')) found.type = 'S';
    at = end;
  }
  return found;
}

/** Text up to the first null character. */
export function text(block: Uint8Array, start: number, length: number): string {
  let end = start;
  while (end < start + length && block[end] !== NUL) end++;
  return Buffer.from(block.buffer, block.byteOffset + start, end - start).toString();
}

/** A number in octal digits, between spaces and null characters; 0 without a digit. */
function octal(block: Uint8Array, start: number, length: number): number | undefined {
  let [at, value] = [start, 0];
  const end = start + length;
  while (at < end && block[at] === SPACE) at++;
  for (; at < end && block[at] >= ZERO && block[at] <= SEVEN; at++) value = 8 * value + block[at] - ZERO;
  while (at < end && (block[at] === SPACE || block[at] === NUL)) at++;
  return at === end ? value : undefined;
}

/** A number of 11 bytes after a byte of 0x80, as GNU writes large sizes. */
function base256(block: Uint8Array): number | undefined {
  let value = block[SIZE] & 0x7f;
  for (let i = SIZE + 1; i < SIZE + 12; i++) value = 256 * value + block[i];
  return Number.isSafeInteger(value) ? value : undefined;
}
