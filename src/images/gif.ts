import { type Tensor } from '../torch';
import { unpackPixels } from '../torch/decoding';
import { checkSize, type Limits, Refusal } from './limits';
import { decodeRaster, paletteTables, rasterOf } from './raster';

/** Whether a file begins with the signature of GIF. */
export const isGif = (bytes: Uint8Array): boolean =>
  /^GIF8[79]a/.test(Buffer.from(bytes.subarray(0, 6)).toString('latin1'));

/**
 * Decodes the first frame of a GIF as PIL does. The canvas grows to hold the frame; its background is the transparent
 * colour, or else colour 0. Transparency is dropped. A truncated file keeps the pixels before its end. Sources: GIF89a
 * specification, GifImagePlugin.py.
 *
 * @returns uint8 [H, W, 3]
 * @throws Refusal
 */
export async function decodeGif(bytes: Uint8Array, limits: Limits): Promise<Tensor> {
  const { x, y, width, height, canvas, interlaced, transparent, tables, bits, data } = readHeader(bytes);
  checkSize(canvas.width, canvas.height, limits);
  checkSize(width, height, { ...limits, resizedTo: undefined });
  if (bits > 8) throw new Refusal(`its indices have ${bits} bits; at most 8 are read`);
  if (!hasWholeBlock(bytes, data)) throw new Refusal('it ends before its first pixels');
  const blank = transparent ?? 0;
  const indices = await unpackPixels(
    'gif',
    bytes,
    width * height,
    [data, bytes.length - data, 0],
    [bits, Number(interlaced), width, height, blank],
  );
  if (indices === null) throw new Refusal('its pixels cannot be unpacked');
  const raster = rasterOf({
    ...canvas,
    step: 8,
    bitOffsets: [0, 0, 0],
    tables,
    blank: [0, 256, 512].map((at) => tables[at + blank]),
    pieces: Float64Array.of(x, y, width, height, 1, 1, width, 0, 0, 0, 0),
  });
  return decodeRaster(indices, raster);
}

interface Frame {
  x: number;
  y: number;
  width: number;
  height: number;
  canvas: { width: number; height: number };
  interlaced: boolean;
  transparent: number | undefined;
  tables: Uint8Array;
  /** bits per index */
  bits: number;
  /** byte offset of the frame's data blocks */
  data: number;
}

const MOST_BLOCKS = 2 ** 20;

function readHeader(bytes: Uint8Array): Frame {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const need = (end: number): void => {
    if (end > bytes.length) throw new Refusal('it ends in its header');
  };
  need(13);
  let at = 13 + paletteBytes(bytes[10]);
  let palette = bytes.subarray(13, at);
  let transparent: number | undefined;
  for (let count = 1; ; count++) {
    need(at + 1);
    if (count > MOST_BLOCKS) throw new Refusal(`it has no frame within its first ${MOST_BLOCKS} blocks`);
    if (bytes[at] === 0x3b) throw new Refusal('it has no frame');
    if (bytes[at] === 0x2c) break;
    if (bytes[at] !== 0x21) {
      at += 1; // PIL also skips bytes that it does not know
      continue;
    }
    need(at + 3);
    if (bytes[at + 1] === 0xf9 && bytes[at + 2] >= 4 && (bytes[at + 3] & 1) === 1) transparent = bytes[at + 6];
    at += 2;
    while (bytes[at] > 0) at += bytes[at] + 1;
    at += 1;
  }
  need(at + 11);
  const [x, y, width, height] = [1, 3, 5, 7].map((from) => view.getUint16(at + from, true));
  const flags = bytes[at + 9];
  const own = paletteBytes(flags);
  if (own > 0) palette = bytes.subarray(at + 10, at + 10 + own);
  need(at + 11 + own);
  const canvas = {
    width: Math.max(x + width, view.getUint16(6, true)),
    height: Math.max(y + height, view.getUint16(8, true)),
  };
  return {
    x,
    y,
    width,
    height,
    canvas,
    interlaced: (flags & 64) !== 0,
    transparent,
    tables: tablesOf(palette),
    bits: bytes[at + 10 + own],
    data: at + 11 + own,
  };
}

/**
 * The colour tables of a palette. Without a palette, or with one that maps each index to itself, index i is grey level
 * i.
 */
function tablesOf(palette: Uint8Array): Uint8Array {
  const grey = Uint8Array.from({ length: 768 }, (_, i) => i & 255);
  return palette.every((value, i) => value === Math.floor(i / 3)) ? grey : paletteTables(palette);
}

const hasWholeBlock = (bytes: Uint8Array, at: number): boolean =>
  at < bytes.length && bytes[at] > 0 && at + 1 + bytes[at] <= bytes.length;

/** Size in bytes of the colour table that follows a descriptor with these flags. */
const paletteBytes = (flags: number): number => ((flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1));
