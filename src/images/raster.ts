import { type Tensor } from '../torch';
import { rasterToRgb } from '../torch/decoding';
import type { Raster } from '../torch/raster';
import { Refusal } from './limits';

export type { Raster } from '../torch/raster';

const asyncPixels = 1 << 20; // smaller images take a few milliseconds

/** Whether an image of this size is decoded on another thread, because it would block this one. */
export const isLarge = (width: number, height: number): boolean => width * height > asyncPixels;

/** A table that maps each value of a sample to a byte: 256 entries, or 65,536 for more than 8 bits. */
export const table = (bits: number, byte: (value: number) => number): Uint8Array =>
  Uint8Array.from({ length: bits > 8 ? 65536 : 256 }, (_, value) => byte(value));

const remembered = new Map<string, Uint8Array>();

/**
 * Tables of grey or colour samples: up to 8 bits are scaled to 0 to 255; 16 bits give their upper byte (`upper`) or
 * saturate at 255 (`cut`).
 */
export function levels(bits: number, samples: number, of16: 'upper' | 'cut' = 'upper', inverted = false): Uint8Array {
  const key = [bits, samples, of16, inverted].join();
  let found = remembered.get(key);
  if (found === undefined) {
    const most = 2 ** bits - 1;
    const level = (value: number): number =>
      bits === 16
        ? of16 === 'upper'
          ? value >> 8
          : Math.min(value, 255)
        : Math.round((Math.min(value, most) * 255) / most);
    found = repeated(
      table(bits, (value) => (inverted ? 255 - level(value) : level(value))),
      samples,
    );
    remembered.set(key, found);
  }
  return found;
}

/** Repeats a table for each sample of a pixel. */
export function repeated(one: Uint8Array, samples: number): Uint8Array {
  const all = new Uint8Array(one.length * samples);
  for (let i = 0; i < samples; i++) all.set(one, i * one.length);
  return all;
}

/**
 * The red, green and blue tables of a palette. Indices that the palette lacks are black.
 * @param palette colours, `stride` bytes each
 * @param order byte of red, green and blue in a colour
 */
export function paletteTables(
  palette: Uint8Array,
  [red, green, blue]: readonly number[] = [0, 1, 2],
  stride = 3,
): Uint8Array {
  const tables = new Uint8Array(768);
  for (let i = 0; i < 256 && (i + 1) * stride <= palette.length; i++) {
    [red, green, blue].forEach((from, c) => (tables[256 * c + i] = palette[i * stride + from]));
  }
  return tables;
}

/** The pieces of a raster that is one rectangle: its rows begin at `offset`, `stride` bytes apart. */
export const wholePiece = (width: number, height: number, offset: number, stride: number): Float64Array =>
  Float64Array.of(0, 0, width, height, 1, 1, stride, offset, offset, offset, offset);

/** Fills in the defaults of a raster: 8-bit samples, interleaved RGB. */
export function rasterOf(given: Pick<Raster, 'width' | 'height' | 'pieces'> & Partial<Raster>): Raster {
  const raster = {
    orientation: 1,
    bits: 8,
    samples: 'unsigned' as const,
    colours: 'rgb' as const,
    bigEndian: false,
    reversed: false,
    step: 24,
    bitOffsets: [0, 8, 16],
    blank: [0, 0, 0],
    ...given,
  };
  return { tables: levels(raster.bits, raster.colours === 'rgb' || raster.colours === 'ycbcr' ? 3 : 4), ...raster };
}

/**
 * Decodes the image of a raster. Rows beyond the end of the bytes are blank, as in PIL.
 *
 * @param options.filtered bytes per pixel for PNG's filters, which are undone first; default 0: no filters
 * @param options.most share of the pixels that may be missing, from 0 (none) to 1 (all but one); default 0.99
 * @returns uint8 [H, W, 3]
 * @throws Refusal when more pixels are missing
 */
export async function decodeRaster(
  bytes: Uint8Array,
  raster: Raster,
  { filtered = 0, most = 0.99 } = {},
): Promise<Tensor> {
  const { pixels, missing } = await rasterToRgb(bytes, raster, filtered, isLarge(raster.width, raster.height));
  let all = 0;
  for (let i = 0; i < raster.pieces.length; i += 11) all += raster.pieces[i + 2] * raster.pieces[i + 3];
  if (missing === 0 || (missing <= most * all && missing < all)) return pixels;
  pixels.dispose();
  throw new Refusal(
    missing === all ? 'it ends before its first row' : `it ends before ${missing} of its ${all} pixels`,
  );
}
