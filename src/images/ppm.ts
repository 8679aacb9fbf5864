import { type Pixels } from './records';

export const isPpm = (bytes: Uint8Array): boolean => bytes[0] === 0x50 /* P */ && bytes[1] === 0x36 /* 6 */;

/**
 * Decodes a binary PPM file (magic number P6) of 8 bits a colour, as GTSRB has them; of a truncated one what is there, the rest black.
 * sharp's libvips is built without PPM. Source: the format's description in Netpbm's manual.
 *
 * @param maxPixels refuse larger pictures
 * @throws Error that says what is wrong, as the end of a sentence
 */
export function decodePpm(bytes: Uint8Array, maxPixels: number): Pixels {
  const header = Buffer.from(bytes.subarray(0, 1024)).toString('latin1');
  const space = String.raw`(?:\s|#[^\n]*\n)+`; // a comment goes to the end of its line
  const found = new RegExp(`^P6${space}(\\d+)${space}(\\d+)${space}(\\d+)\\s`).exec(header);
  if (found === null) throw new Error('it has no width, height and greatest value after its P6');
  const [width, height, greatest] = found.slice(1).map(Number);
  if (greatest !== 255) throw new Error(`its colours go up to ${greatest}; a PPM of 8 bits (255) is read`);
  if (width * height === 0 || width * height > maxPixels) throw new Error(`it claims ${width} × ${height} pixels`);
  const data = new Uint8Array(width * height * 3);
  data.set(bytes.subarray(found[0].length, found[0].length + data.length));
  return { data, width, height };
}
