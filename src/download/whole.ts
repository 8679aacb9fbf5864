import { isJpeg } from '../images/jpeg';
import { isPng } from '../images/png';

/**
 * Whether a JPEG or PNG has its end. The decoders fill up what a truncated file lacks, as training wants of the files
 * that there are; a download would rather ask again. Other formats are left to their decoders.
 */
export function isWhole(bytes: Uint8Array): boolean {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (isJpeg(bytes)) return file.includes('\xff\xd9', startOfScan(file), 'latin1');
  return !isPng(bytes) || file.includes('IEND', 8, 'latin1');
}

/** Finds the first scan of a JPEG. A thumbnail, which has an end of its own, lies in a segment before it. */
function startOfScan(file: Buffer): number {
  let at = 2;
  while (at + 4 <= file.length && file[at] === 0xff && file[at + 1] !== 0xda) {
    const hasNoLength = file[at + 1] === 0xff || file[at + 1] === 1 || (file[at + 1] & 0xf8) === 0xd0;
    at += file[at + 1] === 0xff ? 1 : hasNoLength ? 2 : 2 + file.readUInt16BE(at + 2);
  }
  return at;
}
