import { type Tensor } from '../torch';
import { unpackPixels } from '../torch/decoding';
import { checkSize, type Limits, Refusal } from './limits';
import { decodeRaster, levels, rasterOf, repeated, table, wholePiece } from './raster';

/** Whether a file begins with the signature of PBM, PGM, PPM or grey PFM. */
export const isPnm = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x50 /* P */ && /^[1-6f]\s$/.test(String.fromCharCode(bytes[1], bytes[2]));

/**
 * Decodes PBM, PGM and PPM (binary or plain, any maximum value) and grey PFM, as PIL does. Grey of more than 8 bits
 * saturates at 255; colours are scaled. A truncated file of unscaled values keeps the pixels before its end. Sources:
 * Netpbm's manual, PpmImagePlugin.py.
 *
 * @returns uint8 [H, W, 3]
 * @throws Refusal
 */
export async function decodePnm(bytes: Uint8Array, limits: Limits): Promise<Tensor> {
  const kind = String.fromCharCode(bytes[1]);
  const words = new Words(bytes);
  const [width, height] = [words.whole(), words.whole()];
  checkSize(width, height, limits);
  if (kind === 'f') return decodePfm(bytes, width, height, words);
  const isBits = kind === '1' || kind === '4';
  const greatest = isBits ? 1 : words.whole();
  if (greatest < 1 || greatest > 65535) throw new Refusal(`its maximum value is ${greatest}; 1 to 65535 are allowed`);
  const samples = kind === '3' || kind === '6' ? 3 : 1;
  const plain = kind < '4';
  const bits = plain || greatest > 255 ? 16 : kind === '4' ? 1 : 8;
  const rowBytes = Math.ceil((width * samples * bits) / 8);
  const step = samples * bits;
  const raster = rasterOf({
    width,
    height,
    bits,
    step,
    bigEndian: !plain,
    bitOffsets: samples === 3 ? [0, bits, 2 * bits] : [0, 0, 0],
    tables: tables(isBits, greatest, bits, samples),
    pieces: wholePiece(width, height, plain ? 0 : words.at, rowBytes),
  });
  if (!plain)
    return decodeRaster(bytes, raster, {
      most: greatest === 255 || isBits || (greatest === 65535 && samples === 1) ? 0.99 : 0,
    });
  if (bytes.length - words.at < (isBits ? 1 : 2) * width * height * samples - 1)
    throw new Refusal('it has fewer values than pixels');
  const values = await unpackPixels(
    'plain',
    bytes,
    2 * width * height * samples,
    [words.at, bytes.length - words.at, 0],
    [Number(isBits), greatest],
  );
  if (values === null) throw new Refusal('its values are too few, too large, or not numbers');
  return decodeRaster(values, raster, { most: 0 });
}

/** The tables that map a sample to a byte. In a PBM, 1 is black. */
function tables(isBits: boolean, greatest: number, bits: number, samples: number): Uint8Array {
  if (isBits)
    return repeated(
      table(bits, (value) => (value === 0 ? 255 : 0)),
      3,
    );
  if (greatest === 255) return levels(bits, 3, 'cut');
  const most = greatest > 255 && samples === 1 ? 65535 : 255;
  return repeated(
    table(bits, (value) =>
      Math.min(255, most, roundHalfToEven((Math.min(value, greatest === 65535 ? 65535 : value) / greatest) * most)),
    ),
    3,
  );
}

/** Decodes grey of 32-bit floating-point numbers, bottom row first. PIL keeps their integer part. */
function decodePfm(bytes: Uint8Array, width: number, height: number, words: Words): Promise<Tensor> {
  const scale = Number(words.next());
  if (!Number.isFinite(scale) || scale === 0) throw new Refusal('its scale is not a finite number other than 0');
  const pieces = wholePiece(width, height, words.at, 4 * width);
  const raster = rasterOf({
    width,
    height,
    bits: 32,
    samples: 'float',
    bigEndian: scale > 0,
    step: 32,
    bitOffsets: [0, 0, 0],
    tables: new Uint8Array(0),
    orientation: 4,
    pieces,
  });
  return decodeRaster(bytes, raster);
}

/** Python's `round`. */
function roundHalfToEven(value: number): number {
  const below = Math.floor(value);
  return value - below > 0.5 || (value - below === 0.5 && below % 2 === 1) ? below + 1 : below;
}

const isSpace = (sign: number): boolean => sign === 32 || (sign >= 9 && sign <= 13);

const MOST_HEADER = 2 ** 20;

/** The words of a header, with comments skipped. `at` is the offset after the white space that ends the last word. */
class Words {
  at = 3;

  private readonly bytes: Uint8Array;

  constructor(file: Uint8Array) {
    this.bytes = file.subarray(0, MOST_HEADER);
  }

  whole(): number {
    const word = this.next();
    if (!/^\d+$/.test(word))
      throw new Refusal(`its header has "${word.replaceAll(/[^\x21-\x7e]/g, '?')}" where a number belongs`);
    return Number(word);
  }

  next(): string {
    const { bytes } = this;
    let word = '';
    while (this.at < bytes.length && word.length <= 10) {
      const sign = bytes[this.at++];
      if (sign === 0x23 /* # */)
        while (this.at < bytes.length && !/[\r\n]/.test(String.fromCharCode(bytes[this.at++])));
      else if (!isSpace(sign)) word += String.fromCharCode(sign);
      else if (word !== '') return word;
    }
    if (word === '' || word.length > 10)
      throw new Refusal('it has no width, height and maximum value after its magic number');
    return word;
  }
}
