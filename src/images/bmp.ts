import { type Tensor } from '../torch';
import { unpackPixels } from '../torch/decoding';
import { checkSize, type Limits, Refusal } from './limits';
import { decodeRaster, levels, paletteTables, type Raster, rasterOf, table, wholePiece } from './raster';

const headers = [12, 40, 52, 56, 64, 108, 124];

/** Whether a file begins with the signature of BMP. */
export const isBmp = (bytes: Uint8Array): boolean => bytes[0] === 0x42 /* B */ && bytes[1] === 0x4d; /* M */

/**
 * Decodes a BMP as PIL does: 1, 4, 8, 16, 24 or 32 bits per pixel, bit fields, run-length encoding, rows bottom-up or
 * top-down. Alpha is dropped. Source: BmpImagePlugin.py.
 *
 * @returns uint8 [H, W, 3]
 * @throws Refusal
 */
export async function decodeBmp(bytes: Uint8Array, limits: Limits): Promise<Tensor> {
  const header = readHeader(bytes);
  const { width, height, bits, compression, offset } = header;
  checkSize(width, height, limits);
  const stride = 4 * Math.ceil((width * bits) / 32);
  const orientation = header.fromAbove ? 1 : 4;
  const piece = wholePiece(width, height, offset, stride);
  if (compression === 1 || compression === 2) {
    if (bits > 8) throw new Refusal(`its run-length encoding has ${bits} bits per pixel; at most 8 are read`);
    if (height > 256 * bytes.length) throw new Refusal('it ends before its last row');
    const indices = await unpackPixels(
      'bmp',
      bytes,
      width * height,
      [Math.min(offset, bytes.length), 0, 0],
      [compression - 1, width, height],
    );
    if (indices === null) throw new Refusal('its run lengths end before its last pixel');
    return decodeRaster(indices, {
      ...palette(bytes, header),
      bits: 8,
      step: 8,
      orientation,
      pieces: wholePiece(width, height, 0, width),
    });
  }
  if (bits <= 8) return decodeRaster(bytes, { ...palette(bytes, header), orientation, pieces: piece });
  return decodeRaster(bytes, rasterOf({ width, height, orientation, pieces: piece, ...colours(header) }));
}

interface Header {
  width: number;
  height: number;
  fromAbove: boolean;
  bits: number;
  /** 0: none; 1 and 2: run-length encoding of 8 and 4 bits; 3: bit fields */
  compression: number;
  /** bit masks of red, green, blue and alpha */
  masks: number[];
  /** number of colours of the palette */
  colours: number;
  /** byte offset of the palette */
  palette: number;
  /** bytes per colour of the palette */
  padding: number;
  /** byte offset of the pixels */
  offset: number;
}

function readHeader(bytes: Uint8Array): Header {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const size = bytes.length < 18 ? 0 : view.getUint32(14, true);
  if (!headers.includes(size)) throw new Refusal(`its header has an unknown size of ${size} bytes`);
  if (bytes.length < 14 + size + 16) throw new Refusal('it ends in its header');
  const old = size === 12;
  const at = 14;
  const fromAbove = !old && bytes[at + 11] === 0xff;
  const signed = old ? 0 : view.getUint32(at + 8, true);
  const bits = view.getUint16(at + (old ? 10 : 14), true);
  const compression = old ? 0 : view.getUint32(at + 16, true);
  const listed = old ? 0 : view.getUint32(at + 32, true);
  const colours = listed > 0 ? listed : 2 ** bits;
  const padding = old ? 3 : 4;
  // the masks of a 40-byte header follow it, at the same offset as in larger headers
  const masks = [0, 1, 2, 3].map((i) =>
    compression !== 3 || (i === 3 && size < 56) ? 0 : view.getUint32(at + 40 + 4 * i, true),
  );
  const paletteAt = at + size + (compression === 3 && size < 52 ? 12 : 0);
  if (bits <= 8 && colours > 65536) throw new Refusal(`its palette claims ${colours} colours`);
  let offset = view.getUint32(10, true);
  if (offset === at + size && bits <= 8) offset += padding * colours;
  return {
    width: old ? view.getUint16(at + 4, true) : view.getUint32(at + 4, true),
    height: old ? view.getUint16(at + 6, true) : fromAbove ? 2 ** 32 - signed : signed,
    fromAbove,
    bits,
    compression,
    masks,
    colours,
    palette: paletteAt,
    padding,
    offset: offset > 0 ? offset : paletteAt + (bits <= 8 ? padding * colours : 0),
  };
}

function palette(
  bytes: Uint8Array,
  { width, height, bits, compression, colours, palette: at, padding }: Header,
): Raster {
  if (![1, 4, 8].includes(bits)) throw new Refusal(`it has ${bits} bits per pixel`);
  if (compression > 2) throw new Refusal(`its compression ${compression} does not go with ${bits} bits per pixel`);
  const tables = paletteTables(bytes.subarray(at, at + padding * colours), [2, 1, 0], padding);
  const blank = [tables[0], tables[256], tables[512]];
  return rasterOf({
    width,
    height,
    bits,
    step: bits,
    bitOffsets: [0, 0, 0],
    tables,
    blank,
    pieces: new Float64Array(0),
  });
}

/** The layout of red, green and blue in a pixel of 16, 24 or 32 bits. */
function colours({ bits, compression, masks }: Header): Partial<Raster> {
  if (compression !== 0 && compression !== 3) throw new Refusal(`its compression ${compression} is not read`);
  const layout =
    compression === 0
      ? 'plain'
      : masks
          .slice(0, bits === 32 ? 4 : 3)
          .map((mask) => mask.toString(16))
          .join();
  const bytes = LAYOUTS[bits]?.[layout];
  if (bytes === undefined) throw new Refusal(`the layout ${layout} of its ${bits} bits per pixel is not read`);
  if (bits > 16) return { step: bits, bitOffsets: bytes.map((byte) => 8 * byte), tables: levels(8, 3) };
  const channels = bytes.map((width, c) => {
    const shift = bytes.slice(c + 1).reduce((sum, other) => sum + other, 0);
    const most = 2 ** width - 1;
    return table(16, (value) => Math.trunc((((value >> shift) & most) * 255) / most));
  });
  return {
    bits: 16,
    step: 16,
    bitOffsets: [0, 0, 0],
    tables: Uint8Array.from(channels.flatMap((channel) => [...channel])),
  };
}

// By bits per pixel, then by masks. 24 and 32 bits: the bytes of red, green and blue. 16 bits: the number of bits of
// each channel, from the highest bit down.
const LAYOUTS: Record<number, Record<string, number[]> | undefined> = {
  16: { plain: [5, 5, 5], '7c00,3e0,1f': [5, 5, 5], 'f800,7e0,1f': [5, 6, 5] },
  24: { plain: [2, 1, 0], 'ff0000,ff00,ff': [2, 1, 0] },
  32: {
    plain: [2, 1, 0],
    'ff0000,ff00,ff,0': [2, 1, 0],
    'ff000000,ff0000,ff00,0': [3, 2, 1],
    'ff000000,ff00,ff,0': [3, 1, 0],
    'ff000000,ff0000,ff00,ff': [3, 2, 1],
    'ff,ff00,ff0000,ff000000': [0, 1, 2],
    'ff0000,ff00,ff,ff000000': [2, 1, 0],
    'ff000000,ff00,ff,ff0000': [3, 1, 0],
    '0,0,0,0': [2, 1, 0],
  },
};
