import { addon } from './addon';
import type { Raster } from './raster';
import { type Tensor, wrap } from './tensor';

/**
 * Makes a picture of samples.
 * @param filtered bytes a pixel of PNG's filters, which are undone in `bytes`; or 0
 * @param isAsync whether to work off this thread
 * @returns uint8 [H, W, 3], and how many pixels the bytes end before
 */
export async function rasterToRgb(
  bytes: Uint8Array,
  raster: Raster,
  filtered: number,
  isAsync: boolean,
): Promise<{ pixels: Tensor; missing: number }> {
  const { pixels, missing } = await addon().rasterToRgb(bytes, raster, filtered, isAsync);
  return { pixels: wrap(pixels), missing };
}

/**
 * Unpacks pixels off this thread; see native/images/decoding.cc for `numbers`.
 * @param parts three numbers each: where it begins, its length, and the length of what comes out
 * @returns `size` bytes, or null when the packed ones are wrong or too few
 */
export const unpackPixels = (
  kind: 'gif' | 'bmp' | 'plain' | 'lzw' | 'packbits' | 'raw',
  bytes: Uint8Array,
  size: number,
  parts: number[],
  numbers: number[],
): Promise<Uint8Array | null> => addon().unpackPixels(kind, bytes, size, parts, numbers);
